# Copyright the authors of plinth
#
# This file is free software: you can redistribute it and/or modify it under the terms of the GNU General Public License as
# published by the Free Software Foundation, either version 3 of the License, or (at your option) any later version. It is
# distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the implied warranty of
# MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See <https://www.gnu.org/licenses/>.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells plinth what a playbook does: one JSON object a line over a unix socket.

It is loaded into ansible-playbook, so it carries Ansible's licence and stands apart from the rest of plinth, which only starts
programs. It never holds a play up: when nobody listens any more it falls silent.
"""

from __future__ import annotations

DOCUMENTATION = """
    name: plinth_events
    type: notification
    short_description: events of a playbook, for plinth
    description: Writes compact events to the unix socket that PLINTH_EVENTS names.
"""

import json
import os
import socket
import time

from ansible.plugins.callback import CallbackBase

# Longest text of one field, characters. The end of an output says more than its beginning.
LONGEST = 4000
# Seconds a listener may take to read before it is given up.
PATIENCE = 10
# Results of a no_log task carry this instead of what they say.
CENSORED = "[censored: no_log]"


def _short(value):
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST else "[...]" + text[-LONGEST:]


def _silent(task, result):
    return "censored" in result or getattr(task, "no_log", False) not in (False, None)


def _fields(task, result):
    """What a result says of itself, without its arguments, its diff and its facts."""
    if _silent(task, result):
        return {"msg": CENSORED, "censored": True}
    fields = {name: _short(result[name]) for name in ("msg", "stderr", "module_stderr", "exception") if result.get(name)}
    if "stderr" not in fields and result.get("stdout"):
        fields["stdout"] = _short(result["stdout"])
    if isinstance(result.get("rc"), int):
        fields["rc"] = result["rc"]
    return fields


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "plinth_events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._began = time.monotonic()
        self._at = {}
        self._pid = os.getpid()
        self._line = None
        place = os.environ.get("PLINTH_EVENTS")
        if not place:
            self.disabled = True
            return
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(PATIENCE)
        try:
            line.connect(place)
        except OSError:
            self.disabled = True
            return
        self._line = line

    def _say(self, event, **fields):
        # A forked worker must not write between the lines of the main process.
        if self._line is None or os.getpid() != self._pid:
            return
        fields["e"] = event
        fields["t"] = round(time.monotonic() - self._began, 3)
        try:
            self._line.sendall(json.dumps(fields, default=str, separators=(",", ":")).encode() + b"\n")
        except (OSError, ValueError, TypeError):
            self._line = None

    # plays

    def v2_playbook_on_start(self, playbook):
        plays = []
        for play in playbook.get_plays():
            try:
                plays.append({"name": _short(play.get_name()), "tasks": self._count(play)})
            except Exception:  # a total is only for the progress bar
                plays.append({"name": "?", "tasks": 0})
        self._say("begin", v=1, plays=plays)

    def _count(self, play):
        manager = play.get_variable_manager()
        known = manager.get_vars(play=play) if manager else {}
        total = 0
        for block in play.compile():
            total += self._tasks(block.filter_tagged_tasks(known))
        return total

    def _tasks(self, block):
        total = 0
        for part in (block.block, block.rescue, block.always):
            for one in part:
                if hasattr(one, "block"):
                    total += self._tasks(one)
                elif one.action not in ("meta", "ansible.builtin.meta"):
                    total += 1
        return total

    def v2_playbook_on_play_start(self, play):
        manager = play.get_variable_manager()
        hosts = manager._inventory.get_hosts(play.hosts) if manager and manager._inventory else []
        self._say("play", name=_short(play.get_name()), hosts=len(hosts))

    def v2_playbook_on_no_hosts_matched(self):
        self._say("nohosts")

    # tasks

    def _task(self, task, handler):
        self._at = {}
        path = task.get_path() or ""
        self._say("task", name=_short(task.get_name()), path=path, action=str(task.action), handler=handler)

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._task(task, False)

    def v2_playbook_on_handler_task_start(self, task):
        self._task(task, True)

    def v2_runner_on_start(self, host, task):
        self._at[host.get_name()] = time.monotonic()

    def v2_playbook_on_include(self, included_file):
        self._say("include", path=str(included_file._filename), hosts=len(included_file._hosts))

    # results

    def _result(self, state, result, **more):
        host = result._host.get_name()
        began = self._at.pop(host, None)
        if began is not None:
            more["s"] = round(time.monotonic() - began, 3)
        self._say("host", h=host, r=state, **more)

    def v2_runner_on_ok(self, result):
        changed = bool(result._result.get("changed", False))
        self._result("changed" if changed else "ok", result)

    def v2_runner_on_skipped(self, result):
        self._result("skipped", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        state = "ignored" if ignore_errors else "failed"
        self._result(state, result, **self._failure(result))

    def v2_runner_on_unreachable(self, result):
        self._result("unreachable", result, **self._failure(result))

    def _failure(self, result):
        task = result._task
        fields = _fields(task, result._result)
        fields["name"] = _short(task.get_name())
        fields["path"] = task.get_path() or ""
        return fields

    # inside a task

    def _item(self, state, result):
        silent = _silent(result._task, result._result)
        label = CENSORED if silent else _short(self._get_item_label(result._result))
        more = _fields(result._task, result._result) if state == "failed" else {}
        self._say("item", h=result._host.get_name(), r=state, label=label, **more)

    def v2_runner_item_on_ok(self, result):
        self._item("changed" if result._result.get("changed") else "ok", result)

    def v2_runner_item_on_failed(self, result):
        self._item("failed", result)

    def v2_runner_item_on_skipped(self, result):
        self._item("skipped", result)

    def v2_runner_retry(self, result):
        of = result._result.get("retries", 0)
        self._say("retry", h=result._host.get_name(), n=result._result.get("attempts", 0), of=of)

    # end

    def v2_playbook_on_stats(self, stats):
        hosts = {}
        for host in sorted(stats.processed):
            summary = stats.summarize(host)
            hosts[host] = {
                name: summary.get(name, 0)
                for name in ("ok", "changed", "failures", "unreachable", "skipped", "rescued", "ignored")
            }
        self._say("stats", hosts=hosts)
