"""What became of one hand-over, and the table that reads it from an SMTP conversation. Providers' APIs have theirs in `providers`."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


class Verdict(Enum):
    SENT = "sent"
    RETRY = "retry"  # try this letter again later
    FAILED = "failed"  # this letter will never leave
    BOUNCED = "bounced"  # neither will any other to this address
    PAUSE = "pause"  # nothing will leave this way until a person acts; the letter stays due
    LATER = "later"  # the way out is down or too busy; the letter stays due, and the route rests
    UNCERTAIN = "uncertain"  # it may have left
    UNTRIED = "untried"  # its turn had not come when time was up; the letter stays due

    __hash__ = (
        object.__hash__
    )  # as good, for each is there once; Enum's is written in Python, and campaigns ask for it a hundred thousand times


@dataclass(frozen=True)
class Outcome:
    """`reason`: a short stable word for reports; `detail`: the other side's sentence, at most 300 characters."""

    verdict: Verdict
    reason: str = ""
    detail: str = ""
    provider_id: str = ""
    wait: timedelta | None = None  # with LATER: how long the other side asked us to stay away

    def __post_init__(self):
        object.__setattr__(self, "detail", " ".join(self.detail.split())[:300])


SENT = Outcome(Verdict.SENT)
UNTRIED = Outcome(Verdict.UNTRIED)


class NotSent(smtplib.SMTPException):
    """A letter's Outcome on its way through Django's e-mail API, which knows exceptions alone."""

    def __init__(self, outcome):
        super().__init__(outcome.detail)
        self.outcome = outcome


# The enhanced status codes (RFC 3463) that say an address does not exist, as opposed to “not today” or “not from you”.
HARD_STATUS = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4"}


def of_reply(code, text, *, phase):
    """The outcome of an SMTP reply: `phase` is "connect", "auth", "sender", "recipient" or "data"."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    detail = f"{code} {text}"
    if phase == "sender" and (code == 552 or text.startswith("5.3.4")):
        return Outcome(Verdict.FAILED, "too-large", detail)  # RFC 1870 §6.1: told at MAIL, yet about this letter alone
    if phase in {"connect", "auth", "sender"}:
        return Outcome(Verdict.LATER if 400 <= code < 500 else Verdict.PAUSE, f"{phase}-refused", detail)
    if 400 <= code < 500:
        # 421 too: said to one recipient it may be about that one, and a server that is really closing says so to the next letter's MAIL.
        return Outcome(Verdict.RETRY, "not-now", detail)
    # A bare 550 may as well mean “you may not relay”: one wrong setting must not suppress everybody.
    if phase == "recipient" and text.split()[:1] and text.split()[0] in HARD_STATUS:
        return Outcome(Verdict.BOUNCED, "no-such-address", detail)
    return Outcome(Verdict.FAILED, "refused", detail)


def of_exception(error):
    """The outcome of an exception out of an SMTP conversation: of the letter itself (NotSent), or of a connection that could not be opened."""
    name = type(error).__name__
    match error:
        case NotSent():
            return error.outcome
        case smtplib.SMTPNotSupportedError() | ssl.SSLCertVerificationError():
            return Outcome(Verdict.PAUSE, "not-secure", f"{name}: {error}")
        case smtplib.SMTPAuthenticationError():
            return of_reply(error.smtp_code, error.smtp_error, phase="auth")
        case smtplib.SMTPResponseException():  # to the greeting, EHLO or STARTTLS
            return of_reply(error.smtp_code, error.smtp_error, phase="connect")
        case smtplib.SMTPException() | OSError() | EOFError():
            return Outcome(Verdict.LATER, "connection-broken", f"{name}: {error}")
    return Outcome(Verdict.FAILED, "defect", f"{name}: {error}")
