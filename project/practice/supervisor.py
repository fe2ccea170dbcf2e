"""Run the parts of the product together, and stop them together.

Each part is a process with a group of its own, so that the terminal's Ctrl-C reaches only us and we stop the parts in order. On Linux a part
is told to stop when we are gone, even by SIGKILL, so nothing is left behind; other systems have no such word.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

#: How long the parts together may take to stop before they are killed.
GRACE = 15

_PR_SET_PDEATHSIG = 1
_STOP = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_AWAITED = _STOP | {signal.SIGCHLD}
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Part:
    """One process: the word its lines are marked with, what to run, what to add to the environment, and how far it steps back (nice(2))
    where the parts together want more processors than there are."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    niceness: int = 0


def run(parts, out=sys.stdout, then=None):
    """Start the parts in order and stay until a signal, or the end of one part, ends them all; the last started is stopped first.

    Returns 0 after SIGINT, SIGTERM or SIGHUP, and 1 when a part ended by itself, which is then named on `out`. `then()` runs in a thread
    once all are started. Call from the main thread.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Blocked and waited for, instead of handled: no signal comes between two lines of ours.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    say = _Voice(out, max(len(part.name) for part in parts))
    running, voices = {}, []
    try:
        for part in parts:
            running[part.name] = _start(part)
        # Threads only now: a fork beside a running thread may inherit a held lock.
        for name, process in running.items():
            voices.append(threading.Thread(target=say.repeat, args=[name, process.stdout], daemon=True))
            voices[-1].start()
        if then:
            threading.Thread(target=then, daemon=True).start()
        ended = _wait(running)
    finally:
        _stop(running, say)
        # Their last words are out when their pipes have ended. A thread that still wrote while Python shuts down would abort it.
        for voice in voices:
            voice.join(2)
        # Signals that came while stopping have been obeyed; left pending, they would now end us from outside.
        while signal.sigpending() & _AWAITED:
            signal.sigwait(_AWAITED)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if ended is None:
        return 0
    say("up", f"{ended} ended by itself ({_how(running[ended].returncode)}), so everything was stopped.")
    return 1


def _start(part):
    return subprocess.Popen(
        part.command,
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | part.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
        preexec_fn=_before_exec(os.getpid(), part.niceness),
    )


def _before_exec(parent, niceness):
    def prepare():
        os.nice(niceness)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it was gone before we could ask to be told
                os._exit(1)

    return prepare


def _wait(running):
    """The name of the part that ended, or None when we were asked to stop."""
    while True:
        if signal.sigwait(_AWAITED) in _STOP:
            return None
        for name, process in running.items():
            if process.poll() is not None:
                return name


def _stop(running, say):
    for process in reversed(running.values()):
        if process.poll() is None:
            process.terminate()
    began = time.monotonic()
    while any(process.poll() is None for process in running.values()):
        waited = time.monotonic() - began
        if waited > GRACE or _pressed_again() and waited > 1:
            break
        time.sleep(0.05)
    for name, process in running.items():
        if process.poll() is None:
            say("up", f"{name} did not stop in time and was killed.")
        # The whole group: a part that died may have left children.
        _kill_group(process.pid)
        process.wait()


def _pressed_again():
    """A second Ctrl-C, which means: now. Some terminals and scripts say the first one twice, so one in the first second is let pass."""
    if signal.SIGINT not in signal.sigpending():
        return False
    signal.sigwait({signal.SIGINT})
    return True


def _kill_group(pid):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _how(code):
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


class _Voice:
    """Writes whole lines, each marked with the part it comes from."""

    def __init__(self, out, width):
        self.out, self.width, self.lock = out, width, threading.Lock()

    def __call__(self, name, line):
        with self.lock:
            self.out.write(f"{name:<{self.width}} | {line}\n")
            self.out.flush()

    def repeat(self, name, stream):
        for line in stream:
            text = line.decode(errors="replace").rstrip()
            if text:
                self(name, text)
