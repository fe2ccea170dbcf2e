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

# The enhanced status codes (RFC 3463) that say an address does not exist, as opposed to “not today” or “not from you”.
_HARD_STATUS = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4"}


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
    if phase == "recipient" and text.split()[:1] and text.split()[0] in _HARD_STATUS:
        return Outcome(Verdict.BOUNCED, "no-such-address", detail)
    return Outcome(Verdict.FAILED, "refused", detail)


def of_exception(error, *, begun=False, dot_sent=False):
    """The outcome of an exception out of an SMTP conversation.

    `begun`: the other side had answered MAIL before the connection broke. Then this letter waits and the next one is tried, lest one letter a
    server chokes on stand before all others. `dot_sent`: the final dot had left, so the other side may have the letter.
    """
    name = type(error).__name__
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, text = next(iter(error.recipients.values()))
            return of_reply(code, text, phase="recipient")
        case smtplib.SMTPSenderRefused():
            return of_reply(error.smtp_code, error.smtp_error, phase="sender")
        case smtplib.SMTPAuthenticationError():
            return of_reply(error.smtp_code, error.smtp_error, phase="auth")
        case smtplib.SMTPDataError():
            return of_reply(error.smtp_code, error.smtp_error, phase="data")
        case smtplib.SMTPConnectError() | smtplib.SMTPHeloError():
            return of_reply(error.smtp_code, error.smtp_error, phase="connect")
        case smtplib.SMTPNotSupportedError() | ssl.SSLCertVerificationError():
            return Outcome(Verdict.PAUSE, "not-secure", f"{name}: {error}")
        case smtplib.SMTPException() | OSError() | EOFError():
            verdict = Verdict.UNCERTAIN if dot_sent else Verdict.RETRY if begun else Verdict.LATER
            return Outcome(verdict, "connection-broken", f"{name}: {error}")
    return Outcome(Verdict.FAILED, "defect", f"{name}: {error}")
