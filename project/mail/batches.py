"""One API call for many letters: a carrier (carriers.py) for providers that fill in fields themselves, through anymail's payloads.

A call is made once. Neither requests nor boto3 sends again by itself, and we only where the provider knows a repeated call by its key, or where
it refused all of a call and took none of it: then halves are tried, so that one bad address stops no other letter. anymail writes and posts
the call; its folded statuses and its signals are passed by, because only the provider's own answer tells each letter's fate (batch_answers.py).
"""

import copy
import logging
import threading
import time
import uuid
from email.headerregistry import Address

from anymail.backends import amazon_ses, brevo, mailgun, mailjet, sendgrid, sparkpost
from anymail.utils import EmailAddress, quote_string
from django.conf import settings
from django.core.mail import get_connection
from django.utils import timezone

from . import api_outcomes, batch_answers, headers
from .outcomes import UNTRIED, Outcome, Verdict

logger = logging.getLogger(__name__)

#: No more in one call than a chunk holds: what a call leaves in doubt when its answer is lost.
MOST = 500

#: How often one call is made while its answer is lost, where the provider knows it again.
_TIMES = 3

#: So many letters refused one by one, with none taken in between: it is not their addresses.
_REFUSED_IN_A_ROW = 10

_STOPPED = {Verdict.LATER, Verdict.PAUSE}

_CONNECT = 5  # seconds, as in providers

#: Seconds after which a connection nobody used is not trusted: a provider that closes it just as a call leaves would put that call in doubt.
_IDLE = 15


class BatchCarrier:
    """A route whose Spec has a `can.dialect`. Keeps one session (one boto3 client) for as long as this process lives."""

    def __init__(self, spec):
        self.spec = spec
        self.under_way = 0
        self._backend = None
        self._refused = 0
        self._lost = None
        self._used_at = 0.0

    @property
    def window(self):
        return min(self.spec.can.batch, MOST)

    def ready(self):
        self._lost = None
        if self._backend is not None and time.monotonic() - self._used_at > _IDLE:
            self._close()
        try:
            self._open()
        except Exception as error:  # noqa: BLE001  nothing has been sent, whatever it is
            outcome = api_outcomes.of_exception(error)
            return outcome if outcome.verdict in _STOPPED else Outcome(Verdict.PAUSE, "misconfigured", outcome.detail)
        return None

    def hand_over(self, writer, letters, until):
        """All are settled when it comes back. Nothing is begun past `until`, nor after LATER, PAUSE or an answer that was lost: one in doubt
        is enough, until `ready` is asked again."""
        groups, settled, stopped = _groups(letters, self.window), [], False
        if self._lost and groups:
            settled.append((groups[0].pop(0), Outcome(Verdict.LATER, "connection-broken", self._lost.detail)))
            stopped = True
        while groups:
            group = groups.pop(0)
            if stopped or timezone.now() >= until:
                settled += [(letter, UNTRIED) for letter in group]
                continue
            answer = self._call(writer, group)
            if _is_refusal(answer) and len(group) > 1:
                half = len(group) // 2
                groups[:0] = [group[:half], group[half:]]
                continue
            outcomes = [answer] * len(group) if isinstance(answer, Outcome) else answer
            settled += zip(group, outcomes, strict=True)
            self._refused = self._refused + 1 if _is_refusal(answer) else 0
            self._lost = answer if _is_lost(answer) else None
            stopped = bool(self._lost) or any(outcome.verdict in _STOPPED for outcome in outcomes)
            if self._refused >= _REFUSED_IN_A_ROW and groups:
                settled.append((groups[0].pop(0), Outcome(Verdict.PAUSE, "all-refused", answer.detail)))
                stopped, self._refused = True, 0
        return settled

    def _call(self, writer, letters):
        """One call: an Outcome each, or one Outcome for the call as a whole."""
        try:
            message = writer.batch(letters, self.spec.can)
        except Exception as error:
            logger.exception("A call for %d letters could not be written.", len(letters))
            return Outcome(Verdict.FAILED, "defect", type(error).__name__)
        self.under_way = len(letters)
        try:
            return self._repeated(message, letters) if self.spec.can.idempotent_for else self._post(message, letters, _longest())
        finally:
            self.under_way = 0

    def _repeated(self, message, letters):
        """A call whose answer was lost is made again with its key, in the time one call has elsewhere. Only one that was taken settles it: a
        refusal may be of the repetition."""
        message.extra_headers["idempotencyKey"] = str(uuid.uuid4())  # Brevo's, which takes it out of the headers again
        first = answer = self._post(message, letters, _longest() / _TIMES)
        for _again in range(_TIMES - 1):
            if not _is_lost(answer):
                break
            answer = self._post(message, letters, _longest() / _TIMES)
        return first if isinstance(answer, Outcome) else answer

    def _post(self, message, letters, patience):
        """One call, waited for so many seconds."""
        try:
            backend = self._open()
            payload = _PAYLOADS[self.spec.can.dialect](message, backend.send_defaults, backend)
            answer = _within(patience, backend.post_to_esp, payload, message)
        except _NoAnswer:
            self._backend = None  # it is its thread's now, until the other side ends it
            return Outcome(Verdict.UNCERTAIN, "no-answer", "The answer took too long.")
        except Exception as error:  # noqa: BLE001  every provider raises its own; the table decides
            outcome = api_outcomes.of_exception(error)
            if not _is_refusal(outcome):
                self._close()
            return outcome
        return batch_answers.read(self.spec.can.dialect, answer, [letter.address for letter in letters], payload)

    def _open(self):
        if self._backend is None:
            options = copy.deepcopy(self.spec.options)  # anymail takes its own out of them
            self._backend = get_connection(self.spec.backend, **options)
        self._backend.open()
        self._used_at = time.monotonic()
        return self._backend

    def _close(self):
        """A connection that broke is not used again; the next call opens another."""
        backend, self._backend = self._backend, None
        try:
            if backend is not None:
                backend.close()
        except Exception as error:  # noqa: BLE001  it is broken already
            logger.info("Closing a broken connection: %s", type(error).__name__)


def _groups(letters, most):
    """Letters by calls. anymail knows recipients by their address, so two letters to one address go in two calls."""
    groups, addresses = [], []
    for letter in letters:
        address = letter.address.casefold()
        for group, taken in zip(groups, addresses, strict=True):
            if len(group) < most and address not in taken:
                break
        else:
            groups.append(group := [])
            addresses.append(taken := set())
        group.append(letter)
        taken.add(address)
    return groups


def _is_refusal(answer):
    """Nothing of the call was taken, because of what was in it."""
    return isinstance(answer, Outcome) and answer.verdict is Verdict.FAILED


def _is_lost(answer):
    return isinstance(answer, Outcome) and answer.verdict is Verdict.UNCERTAIN


# -- Waiting -----------------------------------------------------------------------------------------------------------------------------


class _NoAnswer(Exception):
    """Nothing came back in time, not even an error."""


def _longest():
    """Seconds from the beginning of a call to the end of its answer, a moment longer than a silent line takes to be given up."""
    return _CONNECT + settings.MAIL_SOCKET_TIMEOUT + 1


def _within(seconds, function, *arguments):
    """`function(*arguments)`, waited for so long. A timeout of requests or boto3 begins again with every byte, and knows nothing of names that
    are not resolved; so another thread waits for the answer, and is left to itself when none has come."""
    result = {}

    def run():
        try:
            result["value"] = function(*arguments)
        except BaseException as error:  # noqa: BLE001  raised again by whoever waits
            result["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if "error" in result:
        raise result["error"]
    if "value" not in result:
        raise _NoAnswer
    return result["value"]


# -- anymail's payloads, without what costs time for hundreds of recipients ------------------------------------------------------------------


class Recipient(EmailAddress):
    """An address that `addresses.parse_address` has passed, ASCII to its last letter, and a name: anymail need not parse it out of a header."""

    addr_spec = ""

    def __init__(self, name, address):
        username, _at, domain = address.rpartition("@")
        Address.__init__(self, name, username, domain)  # which lets no line end pass
        self.addr_spec = address

    def format_addr_spec(self, *, idna_encode=None):
        return self.addr_spec

    def format(self, *, use_rfc2047=False, idna_encode=None):
        name = self.display_name
        if not name:
            return self.addr_spec
        if use_rfc2047:
            name = headers.phrase(name).replace("\r\n", "")
        elif not _SPECIALS.isdisjoint(name):
            name = quote_string(name)
        return f"{name} <{self.addr_spec}>"


#: RFC 5322 §3.2.3.
_SPECIALS = frozenset('()<>@,:;.\\"[]')

_OURS = {"to", "merge_data", "merge_metadata"}


def _ours(_default, given):
    return given


def _ready(payload):
    """A payload class that takes Recipients and the merge data as they are, where anymail would look through each for lazy texts."""
    attributes = payload.base_message_attrs, payload.anymail_message_attrs
    base, anymail = (tuple((one[0], _ours, None) if one[0] in _OURS else one for one in group) for group in attributes)
    return type(payload.__name__, (payload,), {"base_message_attrs": base, "anymail_message_attrs": anymail})


class _MailgunPayload(_ready(mailgun.MailgunPayload)):
    """As multipart/form-data: writing a form of some hundred kB percent by percent costs more than all else."""

    def get_request_params(self, api_url):
        params = super().get_request_params(api_url)
        params["data"]["to"] = ", ".join(params["data"]["to"])
        params["files"] = [("recipient-variables", (None, params["data"].pop("recipient-variables")))]
        return params


class _MailjetPayload(_ready(mailjet.MailjetPayload)):
    """anymail 15.2 begins anew with every kind of merge data while there is only one recipient, and so loses all but the last."""

    def _burst_for_batch_send(self):
        if not any(message.keys() - {"To"} for message in self.data["Messages"]):
            super()._burst_for_batch_send()


#: By dialect.
_PAYLOADS = {
    "mailgun": _MailgunPayload,
    "brevo": _ready(brevo.BrevoPayload),
    "mailjet": _MailjetPayload,
    "sparkpost": _ready(sparkpost.SparkPostPayload),
    "sendgrid": _ready(sendgrid.SendGridPayload),
    "ses": _ready(amazon_ses.AmazonSESV2SendBulkEmailPayload),
}
