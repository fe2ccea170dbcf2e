"""Letters over several connections at once, in one thread: which goes where, and what each reply means for it.

Every letter gets exactly one Outcome. Of a connection that breaks: a letter that had wholly left is in doubt; one whose MAIL was accepted, or
of which a part had left, is tried again later, lest one letter a server chokes on stand before all others; the rest go by another connection.
A server that says 421 heeds nothing after it (RFC 5321 §3.8), so what came after is not in doubt once it has closed.
"""

import selectors
import ssl
import time
from collections import deque

from project.mail import crashpoints, outcomes
from project.mail.outcomes import SENT, UNTRIED, Outcome, Verdict

from .lanes import DATA, DOT, LAST, LONE_DOT, MAIL, MOST_UNREAD, NOOP, RCPT, RSET, Lane, Way

#: A letter that was next in line whenever its connection was lost, more often than this, is the likely cause, and waits.
_MOST_MOVES = 3

#: So many connections in a row that were lost before they took a letter are no accident.
_MOST_FRUITLESS = 2

#: For how long a server that took no further connection is not asked for one, in seconds.
_ENOUGH = 60

#: For how long a connection waits, in seconds, with its next letter in hand, for one to chain to it, while others are still busy.
_PATIENCE = 0.004

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_PUT_OFF = {Verdict.LATER, Verdict.PAUSE}
_PHASE = {RSET: "sender", MAIL: "sender", RCPT: "recipient", DATA: "data", DOT: "data", LAST: "data", LONE_DOT: "data"}


def _broken(why):
    return Outcome(Verdict.LATER, "connection-broken", why)


class Exchange:
    """`dial()` opens a connection (smtplib's, after EHLO and login) or raises; `connections`: how many at most; `window`: letters under way at
    most, which is what a server with CHUNKING gets at once; `timeout`: seconds from when an answer was due."""

    def __init__(self, dial, *, connections, window, timeout):
        self._dial, self._connections, self._window, self._timeout = dial, connections, window, timeout
        self.lanes = []
        self.under_way = 0
        self._fresh = deque()  # (build, item)
        self._again = deque()  # Jobs that lost their connection
        self._results = []
        self._stop = None  # the Outcome of all that has not begun
        self._more = False  # whether the caller will bring more letters
        self._limit = float("inf")
        self._fruitless = 0
        self._no_more_before = 0.0
        self._hungry_since = None
        self._look_at = 0.0
        self._selector = selectors.DefaultSelector()
        self._on = {
            MAIL: self._on_mail,
            RCPT: self._on_recipient,
            DATA: self._on_data,
            DOT: self._on_letter,
            LAST: self._on_letter,
            LONE_DOT: self._on_lone_dot,
            RSET: self._on_courtesy,
            NOOP: self._on_courtesy,
        }

    # -- For the caller ------------------------------------------------------------------------------------------------------------------

    def hand_over(self, items, build, *, more, seconds=float("inf")):
        """Begin these, and return `[(item, Outcome), …]` of what has been settled since the last call.

        `build(item)` makes its Job; should it raise, that item FAILED. `more`: come back as soon as another letter could be begun; else when
        nothing is under way. After so many `seconds` nothing is begun: what was not comes back UNTRIED.
        """
        self._stop = self._hungry_since = None
        self._more = more
        self._limit = time.monotonic() + seconds
        self._fresh.extend((build, item) for item in items)
        self.under_way += len(items)
        for lane in self.lanes[:]:
            self._advance(lane)
        while True:
            self._place_waiting()
            if not self.under_way or self._wants_more():
                break
            self._turn()
        results, self._results = self._results, []
        return results

    def wake(self, idle):
        """Make sure of one connection at least: those unused for `idle` seconds are asked. None, or the Outcome that says why there is none."""
        if self.under_way:
            return None
        self._stop = None
        self._turn(0)  # whoever has closed meanwhile
        now = time.monotonic()
        for lane in self.lanes[:]:
            if now - lane.used > idle:
                lane.ask(b"NOOP\r\n", NOOP)
                self._flush(lane)
        while any(lane.steps for lane in self.lanes):
            self._turn()
        return None if self.lanes else self._open()

    def adopt(self, connection):
        """Use a connection that was opened elsewhere."""
        lane = Lane(connection)
        self._selector.register(lane.sock, _READ, lane)
        self.lanes.append(lane)
        return lane

    def release(self):
        """Let go of the connections without closing them; returns smtplib's."""
        for lane in self.lanes:
            self._selector.unregister(lane.sock)
            lane.sock.settimeout(self._timeout)
        kept, self.lanes = [lane.connection for lane in self.lanes], []
        self._selector.close()
        return kept

    def close(self):
        for lane in self.lanes[:]:
            self._drop(lane)
        self._selector.close()

    # -- Letters and connections ---------------------------------------------------------------------------------------------------------

    @property
    def _waiting(self):
        return bool(self._fresh or self._again)

    def _next(self):
        """The next Job to begin, or None."""
        if self._stop:
            return None
        if self._waiting and time.monotonic() >= self._limit:
            self._stop = UNTRIED
            return None
        if self._again:
            return self._again.popleft()
        while self._fresh:
            build, item = self._fresh.popleft()
            try:
                return build(item)
            except Exception as error:  # noqa: BLE001  one letter that can't be built must not stop the others
                self._settle(item, Outcome(Verdict.FAILED, "defect", type(error).__name__))
        return None

    def _settle(self, item, outcome):
        self._results.append((item, outcome))
        self.under_way -= 1

    def _place_waiting(self):
        """See that what has not begun will be: by a connection that has nothing to do, by another, or not at all."""
        if self._again:
            for lane in self.lanes[:]:
                self._advance(lane)
        while self._waiting and not self._stop and self._may_open():
            refusal = self._open()
            if refusal and not self.lanes:
                self._stop = refusal
            self._turn(0)
        if self._stop:
            for item in [job.item for job in self._again] + [item for _build, item in self._fresh]:
                self._settle(item, self._stop)
            self._again.clear()
            self._fresh.clear()
            for lane in self.lanes[:]:
                if lane.held:
                    self._advance(lane)

    def _may_open(self):
        if not self.lanes:
            return True
        return len(self.lanes) < self._connections and time.monotonic() >= self._no_more_before

    def _open(self):
        """One connection more, with letters on it at once. Why not, if not."""
        try:
            lane = self.adopt(self._dial())
        except Exception as error:  # noqa: BLE001  smtplib, ssl and the resolver raise their own
            self._no_more_before = time.monotonic() + _ENOUGH
            outcome = outcomes.of_exception(error)
            return outcome if outcome.verdict in _PUT_OFF else Outcome(Verdict.PAUSE, outcome.reason, outcome.detail)
        self._advance(lane)
        return None

    def _wants_more(self):
        """Whether another letter could be begun at once, so that no connection has to wait for a round trip of its own."""
        if not self._more or self._stop or self._waiting:
            return False
        if self.under_way <= len(self.lanes):
            return True
        if any(lane.way is Way.CHUNK for lane in self.lanes):
            return self.under_way <= self._window // 2
        hungry = sum(lane.held or not lane.load for lane in self.lanes)
        if not hungry:
            self._hungry_since = None
            return False
        now = time.monotonic()
        self._hungry_since = self._hungry_since or now
        return hungry * 4 >= len(self.lanes) * 3 or now - self._hungry_since >= _PATIENCE

    def _advance(self, lane):
        """Write what this connection may be told now."""
        if not lane.shut:
            self._fill(lane)
        self._flush(lane)

    def _fill(self, lane):
        if lane.way is Way.CHUNK:
            # A server that has not shown yet that it keeps its word gets one letter.
            most = self._share if lane.accepted else 1
            while lane.load < most and lane.queued - lane.sent < MOST_UNREAD and (job := self._next()):
                lane.begin(job)
        elif lane.way is Way.STEP:
            if lane.held:
                lane.say_letter()
            elif not lane.steps and (job := self._next()):
                lane.begin(job)
        elif lane.held:
            job = self._next()
            if job or not self._more or self._stop:
                lane.say_letter()
            if job:
                lane.begin(job)
        elif lane.slot is None and (job := self._next()):
            lane.begin(job)

    @property
    def _share(self):
        """How many letters one connection is given at once, so that each gets some."""
        lanes = self._connections if time.monotonic() >= self._no_more_before else len(self.lanes)
        return max(2, -(-self._window // lanes))

    # -- The wire ------------------------------------------------------------------------------------------------------------------------

    def _turn(self, wait=None):
        """Wait for something to happen, and see to it; then whether anybody has let us wait too long."""
        if wait is None:
            wait = _PATIENCE if self._hungry_since and self._more else min(self._timeout / 10, 1)
        for key, events in self._selector.select(wait):
            lane = key.data
            if events & _READ:
                self._read(lane)
            elif lane.open:
                self._advance(lane)
        if self.under_way:
            crashpoints.reach("handing")
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + min(self._timeout / 10, 1)
            for lane in self.lanes[:]:
                if lane.steps and now - lane.since > self._timeout:
                    self._lose(lane, "No answer in time.", timed_out=True)

    def _read(self, lane):
        replies = lane.replies
        try:
            while lane.open:
                data = lane.sock.recv(65536)
                if not data:
                    return self._lose(lane, "The server hung up.", hung_up=True)
                for code, text in replies.feed(data):
                    if lane.open:
                        self._answer(lane, code, text)
                if replies.garbage:
                    return self._lose(lane, "Not an SMTP reply.")
                if not lane.tls or (lane.open and not lane.sock.pending()):
                    break
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            return self._lose(lane, type(error).__name__, hung_up=True)
        if lane.open and lane.shut and not lane.steps:
            return self._lose(lane, "Nothing more to be said.", hung_up=True)
        if lane.open:
            self._advance(lane)
        return None

    def _flush(self, lane):
        if lane.out:
            lane.flush()
        if bool(lane.out) is not lane.watched:
            lane.watched = bool(lane.out)
            self._selector.modify(lane.sock, _READ | _WRITE if lane.watched else _READ, lane)

    def _drop(self, lane):
        self.lanes.remove(lane)
        self._selector.unregister(lane.sock)
        lane.close()

    def _lose(self, lane, why, *, timed_out=False, hung_up=False):
        """This connection is over. What becomes of the letters on it."""
        if not lane.open:
            return
        jobs, outcome = lane.jobs, _broken(why)
        self._drop(lane)
        if jobs and not lane.accepted:
            self._fruitless += 1
        deaf = lane.told and hung_up
        if jobs and not deaf:
            jobs[0].moves += 1
        for job in reversed(jobs):
            self._after_loss(lane, job, why, deaf=deaf)
        if (timed_out and not self.lanes) or self._fruitless >= _MOST_FRUITLESS:
            self._stop = self._stop or outcome
            self._fruitless = 0

    def _after_loss(self, lane, job, why, *, deaf):
        """`deaf`: the server said it would heed nothing more, and hung up. Whoever was told so at MAIL may go by another connection."""
        if job.refused and (deaf or not job.taken) and not (deaf and job.refused.verdict is Verdict.LATER):
            outcome = job.refused
        elif lane.has_left(job) and not deaf:
            outcome = Outcome(Verdict.UNCERTAIN, "connection-broken", why)
        elif (lane.has_begun(job) and not deaf) or job.moves > _MOST_MOVES:
            outcome = Outcome(Verdict.RETRY, "connection-broken", why)
        else:
            job.forget()
            self._again.appendleft(job)
            return
        self._finish(lane, job, outcome)

    # -- What a reply means --------------------------------------------------------------------------------------------------------------

    def _answer(self, lane, code, text):
        lane.since = lane.used = time.monotonic()
        if not lane.steps:
            return self._lose(lane, f"Said unasked: {code}.")
        step, job = lane.steps[0]
        if code == 421:
            return self._on_closing(lane, step, job, text)
        lane.told = False  # if it had said so: it goes on all the same, so what it does not answer may have been taken
        if code < 400 and (code >= 300) is not (step == DATA):
            return self._lose(lane, f"An answer to something else: {code}.")
        lane.steps.popleft()
        return self._on[step](lane, step, job, code, text)

    def _on_mail(self, lane, step, job, code, text):
        if code < 400:
            job.answered = True
            if lane.way is Way.STEP:
                lane.next_step(job)
            return
        job.refused = outcomes.of_reply(code, text, phase="sender")
        if job.refused.verdict in _PUT_OFF:
            self._stop = self._stop or job.refused
        if lane.way is Way.STEP:
            self._refused(lane, job)

    def _on_recipient(self, lane, step, job, code, text):
        if code < 400:
            job.heard += 1
            job.taken += 1
        else:
            job.refuse_recipient(outcomes.of_reply(code, text, phase="recipient"))
        if lane.way is Way.STEP:
            if job.taken or job.heard < len(job.recipients):
                lane.next_step(job)
            else:
                self._refused(lane, job)

    def _on_data(self, lane, step, job, code, text):
        if code < 400 and job.taken:
            lane.held = True
        elif code < 400:
            lane.say_nothing()
        else:
            if job.taken:
                job.refused = outcomes.of_reply(code, text, phase="data")
            self._refused(lane, job)

    def _on_letter(self, lane, step, job, code, text):
        if code < 400 and job.taken:
            lane.accepted += 1
            self._fruitless = 0
            self._finish(lane, job, SENT)
        else:
            self._finish(lane, job, outcomes.of_reply(code, text, phase="data") if job.taken else job.refused)

    def _on_lone_dot(self, lane, step, job, code, text):
        self._finish(lane, job, job.refused)

    def _on_courtesy(self, lane, step, job, code, text):
        if code >= 400:
            self._lose(lane, f"{code} to a courtesy.")
        elif job:
            lane.ask(lane.mail(job), MAIL, job)

    def _on_closing(self, lane, step, job, text):
        """421: the server is leaving. To RCPT, DATA or a letter it is the answer to that letter; to MAIL it says nothing of the letter, which
        goes by another connection: many servers end each after so many letters."""
        lane.told = True
        lane.stop_writing()
        if job and (job.taken or not job.refused):
            job.refused = outcomes.of_reply(421, text, phase=_PHASE[step])
        lane.steps.popleft()
        if step in {DOT, LAST, LONE_DOT}:
            self._finish(lane, job, job.refused)
        # What has left already may be taken by a server that does not mean it: its answers, or its hanging up, are waited for.
        if not any(map(lane.has_left, lane.jobs)):
            self._lose(lane, f"421 {text.decode('utf-8', 'replace')}", hung_up=True)

    def _refused(self, lane, job):
        lane.slot = None
        lane.dirty = True
        self._finish(lane, job, job.refused)

    def _finish(self, lane, job, outcome):
        lane.load -= 1
        if outcome.verdict in _PUT_OFF:
            self._stop = self._stop or outcome
        self._settle(job.item, outcome)
