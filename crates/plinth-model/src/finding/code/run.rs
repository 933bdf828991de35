//! Plans and runs, and plinth itself.

findings! {
    FETCH_CHECKSUM = "fetch.checksum", NetworkTeam {
        means: "A file that was fetched does not have the checksum that the engine names. It was not kept.",
        usually: "A mirror or a proxy gave another content, such as an error page or an older file.",
        fix: "Compare the file on the mirror with `plinth render mirror-list`, replace it, and run again.",
    }
    FETCH_REFUSED = "fetch.refused", NetworkTeam {
        means: "A server of files answered, but did not give the file.",
        usually: "The file is not on the mirror, or this machine may not read it without a login.",
        fix: "Put the file in place (`plinth render mirror-list` names all with their checksums), or let this machine read there; then run again.",
    }
    FETCH_STRANGE_FILE = "fetch.strange-file", You {
        means: "The engine names a file or a checksum that is no plain word. Nothing was fetched or pushed.",
        usually: "A variable of the site changes the name of a download.",
        fix: "Look at the variables under `kubernetes.extraVars` that concern downloads, and remove them.",
    }
    FETCH_UNREACHABLE = "fetch.unreachable", NetworkTeam {
        means: "A server of files could not be reached, or the connection was lost more often than is tried.",
        usually: "DNS, a proxy or a firewall on the machine that runs plinth; or no internet at all.",
        fix: "Set HTTPS_PROXY where plinth runs, open the way, or name a mirror under `kubernetes.downloads.files`. What was fetched is kept; run again.",
    }
    PLAN_ANSWER_IMPOSSIBLE = "plan.answer-impossible", You {
        means: "A step waits for an answer that its gate never gives, so it could never run.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_ANSWER_UNKNOWN = "plan.answer-unknown", You {
        means: "A look at the world gave an answer that the gate of this plan does not have.",
        usually: "A mistake in plinth: the step that opens the gate and the plan disagree.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_CYCLE = "plan.cycle", You {
        means: "A step waits for itself, through the steps that it needs.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_GATE_IDLE = "plan.gate-idle", You {
        means: "A gate has fewer than two answers, so it decides nothing.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_GATE_NOT_AWAITED = "plan.gate-not-awaited", You {
        means: "A conditional step does not wait for the step that opens its gate.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_GATE_SHUT = "plan.gate-shut", You {
        means: "The step that should open a gate is not in the plan.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_GATE_TWICE = "plan.gate-twice", You {
        means: "Two gates have the same id.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_GATE_UNKNOWN = "plan.gate-unknown", You {
        means: "A step depends on a gate that is not in the plan.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_HASH_WRONG = "plan.hash-wrong", You {
        means: "The hash of the plan is not the hash of its content.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_ID_TWICE = "plan.id-twice", You {
        means: "Two steps have the same id.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_MARK_MISSING = "plan.mark-missing", You {
        means: "A destructive step does not say what it destroys.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_NEED_ORPHAN = "plan.need-orphan", You {
        means: "A step needs a step that is not in the plan.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_ORDER_WRONG = "plan.order-wrong", You {
        means: "A step comes before a step that it needs.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_QUORUM_AT_RISK = "plan.quorum-at-risk", You {
        means: "Two destructive steps could run at once on nodes that carry the control plane or etcd, and take away its majority.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_REASON_MISSING = "plan.reason-missing", You {
        means: "A step does not say why it is in the plan.",
        usually: "A mistake in plinth: its planner made a plan that must not be run.",
        fix: "Report it with the site file, secrets left out. Nothing was saved or run.",
    }
    PLAN_SECRET_IN_CLEAR = "plan.secret-in-clear", You {
        means: "A value in the plan looks like a secret in clear. Plans are shown and saved, so this one is refused.",
        usually: "A password or token under `values` of a component, in a label or in `kubernetes.extraVars`.",
        fix: "Under `values`, write a reference: `{$secret: {env: NAME}}`. In labels and variables, remove it. Change the secret if the file was shared.",
    }
    PLINTH_BUG = "plinth.bug", You {
        means: "plinth itself is at fault.",
        usually: "a case that nobody thought of.",
        fix: "report it with the command and what it printed.",
    }
    PLINTH_INPUT = "plinth.input", You {
        means: "What was given cannot be used: an argument, a file, a variable, a folder.",
        usually: "a wrong path, a file of something else, a folder of another site.",
        fix: "read the message, fix what it names, then run the same command again.",
    }
    PLINTH_LOCKED = "plinth.locked", You {
        means: "Somebody else is at work on this site.",
        usually: "another terminal or a colleague runs plinth on the same state directory.",
        fix: "look with `plinth status`, wait for that run to end, then run again.",
    }
    PLINTH_PARTLY = "plinth.partly", You {
        means: "The run could not be recorded to its end; what was recorded is intact.",
        usually: "the disk with the state directory is full.",
        fix: "free some space, then run the same command again: it continues.",
    }
    PLINTH_UNREACHABLE = "plinth.unreachable", You {
        means: "A foreign system does not answer, or this release cannot do it yet.",
        usually: "BCM is down, a wrong address, or a verb that comes in a later release.",
        fix: "follow the message; `plinth rehearse` needs no foreign system.",
    }
    RUN_DEADLINE_PASSED = "run.deadline-passed", You {
        means: "A step took longer than it may, and was given up.",
        usually: "A download, a playbook or a service that hangs; a machine that is much slower than expected.",
        fix: "Find out what hangs there, then run again: the step is looked at before anything is repeated. `plinth explain STEP` shows its deadline.",
    }
    RUN_GATE_ANSWER_UNKNOWN = "run.gate-answer-unknown", You {
        means: "A gate opened with an answer that the plan did not show.",
        usually: "The node changed since the plan was made, or a mistake in plinth.",
        fix: "Look at the node, then make the plan again with `plinth plan` and read it. If it repeats, report it.",
    }
    RUN_GATE_UNANSWERED = "run.gate-unanswered", You {
        means: "A conditional step came up before its gate was answered.",
        usually: "A mistake in plinth.",
        fix: "Report it with the plan; then run again, which checks everything again.",
    }
    RUN_LOCK_TAKEN_OVER = "run.lock-taken-over", You {
        means: "The lock of this site belonged to another run that is gone. This run took it over.",
        usually: "The other run was killed, or its machine was switched off.",
        fix: "Nothing, if you know that the other run ended. `plinth status` shows how far it came.",
    }
    RUN_NOT_SO_AFTER_ACTING = "run.not-so-after-acting", You {
        means: "The change was made without an error, but a second look does not find it.",
        usually: "Another program configures the same thing and undoes it, or a service has not read it yet.",
        fix: "Find out what undoes it; the evidence lists what is still different. Then run again.",
    }
    RUN_NOTIFICATION_UNDELIVERED = "run.notification-undelivered", You {
        means: "Messages about a run could not be posted to a webhook of the site file. The run itself is not touched by it.",
        usually: "The address is not reachable from here, was revoked, or its certificate is not trusted.",
        fix: "Do what the message says. What may still be delivered is kept, and the next run posts it first.",
    }
    RUN_ONCE_ALREADY_DONE = "run.once-already-done", You {
        means: "Something that may be done only once was done before, and is no longer there. Doing it again could make a second one.",
        usually: "Somebody removed the cluster from Run:ai's control plane after it was registered.",
        fix: "Find out who removed it and put it back by hand, or choose another name: `runai: {cluster: {name: NAME}}`.",
    }
    RUN_STEP_FAILED = "run.step-failed", You {
        means: "A step failed, and no finding of its own describes why. The message says what plinth was doing and what happened.",
        usually: "The evidence names the client through which it failed, such as a node, helm or Kubernetes.",
        fix: "Do what the fix says, then run again; finished steps are not repeated. `plinth explain STEP` tells what the step does.",
    }
    RUN_STEP_WAS_INTERRUPTED = "run.step-was-interrupted", You {
        means: "An earlier run began this step and did not see its end. It is looked at before anything is done.",
        usually: "The earlier run was killed, or lost power.",
        fix: "Nothing.",
    }
    SECRET_FILE_READABLE_BY_OTHERS = "secret.file-readable-by-others", You {
        means: "Other users of this machine can read a file that holds a secret.",
        usually: "The file was made with the usual permissions.",
        fix: "Run `chmod 600 FILE`, and change the secret if somebody may have read it.",
    }
    SECRET_MISSING = "secret.missing", You {
        means: "A secret that the site file refers to could not be had. `plinth validate` only warns about it.",
        usually: "The variable is not set in this shell, the file is missing, or the program failed.",
        fix: "Set the variable, write the file, or make the program print the secret, as the fix says; then run `plinth validate`.",
    }
}
