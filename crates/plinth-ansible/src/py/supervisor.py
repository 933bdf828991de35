"""Supervises one ansible-playbook: it ends when plinth ends, whatever ended plinth, and only one runs at a time.

Standard input is the guard: its end means that plinth is gone or wants the play to end. The lock is an open file that every
process of the play inherits, so that it is held as long as one of them lives, even when this one was killed.
"""

import ctypes
import fcntl
import glob
import os
import select
import shutil
import signal
import subprocess
import sys
import time

# Another play holds the lock.
BUSY = 75
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def prctl(option, value):
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def lock(path, patience):
    """Waits for processes of an earlier play that are about to end."""
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.set_inheritable(held, True)
            return held
        except BlockingIOError:
            if time.monotonic() > until or guard_gone(0.2):
                sys.exit(BUSY)


def guard_gone(seconds):
    ready, _, _ = select.select([0], [], [], seconds)
    return bool(ready) and not os.read(0, 4096)


def children(of):
    found = []
    for path in glob.glob(f"/proc/{of}/task/*/children"):
        try:
            with open(path, encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
        except OSError:
            pass
    return found


def end_all():
    """Ends what is left of the play; as the subreaper this process inherits every orphan."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        left = children(os.getpid())
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def tell(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def finished(child, seconds):
    try:
        child.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def stop(child):
    """First as a person would, then without asking."""
    for number, patience in ((signal.SIGINT, 10), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        tell(child.pid, number)
        if finished(child, patience):
            return


def close_masters(folder):
    for path in glob.glob(os.path.join(folder, "c", "*")):
        try:
            command = ["ssh", "-o", f"ControlPath={path}", "-O", "exit", "-F", "none", "plinth"]
            subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=5, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            pass


def begin(command, held):
    def in_child():
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)

    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, pass_fds=(held,), start_new_session=True, preexec_fn=in_child
    )


def main():
    lock_path, patience, folder, clear = sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4] == "clear"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    held = lock(lock_path, patience)
    code = 1
    try:
        child = begin(sys.argv[5:], held)
        while child.poll() is None:
            if guard_gone(0.1):
                clear = True
                stop(child)
                break
        code = child.returncode if child.returncode is not None else -signal.SIGKILL
    finally:
        close_masters(folder)
        end_all()
        if clear:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code if code >= 0 else 128 - code)


main()
