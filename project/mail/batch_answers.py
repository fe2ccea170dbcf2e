"""What each provider answers to one call for many letters, read letter by letter. The whole answer's status is `api_outcomes`'.

Every reader takes `(answer, addresses, payload)`: the provider's answer (a requests.Response; for SES boto3's dict), the letters' addresses in
the order they were given, and anymail's payload. It returns as many Outcomes, or one for the call as a whole. What an answer doesn't say is in
doubt; a reader that stumbles has found an answer nobody can read, which is in doubt as well.
"""

from . import api_outcomes
from .outcomes import Outcome, Verdict

UNREADABLE = Outcome(Verdict.UNCERTAIN, "unreadable-answer")


def read(dialect, answer, addresses, payload):
    """An Outcome each, in order, or one for all. Never raises."""
    try:
        outcomes = READERS[dialect](answer, addresses, payload)
    except Exception as error:  # noqa: BLE001  anything may come from outside
        return Outcome(Verdict.UNCERTAIN, UNREADABLE.reason, type(error).__name__)
    return outcomes if isinstance(outcomes, Outcome) or len(outcomes) == len(addresses) else UNREADABLE


def _sent(provider_id=""):
    return Outcome(Verdict.SENT, provider_id=str(provider_id or ""))


def _mailgun(answer, addresses, payload):
    """One id for all. A bad address among them is a 400 for all, so a 200 means each was taken."""
    told = answer.json()
    if not told["message"].startswith("Queued"):
        return UNREADABLE
    return [_sent(told["id"])] * len(addresses)


def _brevo(answer, addresses, payload):
    """An id each, in order."""
    told = answer.json()
    ids = told.get("messageIds") or [told["messageId"]]
    return [_sent(message_id) for message_id in ids]


def _mailjet(answer, addresses, payload):
    """A status each, in order; a partial refusal has a 4xx status, and so has a refusal of the whole call."""
    told = answer.json()
    if "Messages" not in told:
        retry_after = answer.headers.get("Retry-After", "")
        return api_outcomes.of_status(answer.status_code, str(told.get("ErrorMessage", "")), retry_after=retry_after)
    return [_mailjet_one(message, address) for message, address in zip(told["Messages"], addresses, strict=True)]


def _mailjet_one(message, address):
    if message["Status"] != "success":
        error = (message.get("Errors") or [{}])[0]
        return api_outcomes.of_status(int(error.get("StatusCode") or 400), f"{error.get('ErrorCode', '')} {error.get('ErrorMessage', '')}")
    recipient = message["To"][0]
    if recipient["Email"].casefold() != address.casefold():
        return UNREADABLE
    return _sent(recipient["MessageID"])


def _sparkpost(answer, addresses, payload):
    """Only totals. When some were refused it isn't told which: then all are in doubt until its events come."""
    told = answer.json()["results"]
    taken, refused = told["total_accepted_recipients"], told["total_rejected_recipients"]
    if (taken, refused) == (len(addresses), 0):
        return [_sent(told["id"])] * len(addresses)
    if (taken, refused) == (0, len(addresses)):
        return [Outcome(Verdict.FAILED, "refused", "SparkPost refused every recipient of the call.")] * len(addresses)
    detail = f"SparkPost took {taken} of {len(addresses)} and does not say which."
    return [Outcome(Verdict.UNCERTAIN, "partly-refused", detail, provider_id=str(told["id"]))] * len(addresses)


def _sendgrid(answer, addresses, payload):
    """202 without a word; the ids are anymail's own, and come back with the events."""
    if answer.status_code != 202:
        return UNREADABLE
    return [_sent(payload.message_ids.get(address)) for address in addresses]


_SES = {
    "MESSAGE_REJECTED": (Verdict.FAILED, "refused", None),
    "INVALID_PARAMETER": (Verdict.FAILED, "refused", None),
    "FAILED": (Verdict.FAILED, "refused", None),
    "TRANSIENT_FAILURE": (Verdict.RETRY, "not-now", None),
    "ACCOUNT_THROTTLED": (Verdict.LATER, "busy", None),
    "ACCOUNT_DAILY_QUOTA_EXCEEDED": (Verdict.LATER, "quota-used-up", api_outcomes.LONGEST_WAIT),
    "MAIL_FROM_DOMAIN_NOT_VERIFIED": (Verdict.PAUSE, "not-authorised", None),
    "ACCOUNT_SUSPENDED": (Verdict.PAUSE, "not-authorised", None),
    "ACCOUNT_SENDING_PAUSED": (Verdict.PAUSE, "not-authorised", None),
    "CONFIGURATION_SET_SENDING_PAUSED": (Verdict.PAUSE, "not-authorised", None),
    "CONFIGURATION_SET_NOT_FOUND": (Verdict.PAUSE, "not-found", None),
    "TEMPLATE_NOT_FOUND": (Verdict.PAUSE, "not-found", None),
    "INVALID_SENDING_POOL_NAME": (Verdict.PAUSE, "not-found", None),
}


def _ses(answer, addresses, payload):
    """A status each, in order (BulkEmailStatus of the API's model)."""
    return [_ses_one(entry) for entry in answer["BulkEmailEntryResults"]]


def _ses_one(entry):
    status = entry["Status"]
    if status == "SUCCESS":
        return _sent(entry.get("MessageId"))
    verdict, reason, wait = _SES.get(status, (Verdict.UNCERTAIN, "unreadable-answer", None))
    return Outcome(verdict, reason, f"{status} {entry.get('Error', '')}", wait=wait)


READERS = {
    "mailgun": _mailgun,
    "brevo": _brevo,
    "mailjet": _mailjet,
    "sparkpost": _sparkpost,
    "sendgrid": _sendgrid,
    "ses": _ses,
}
