"""The table that reads what became of a letter from whatever a provider's backend raises: anymail, requests, or boto3.

The question is always: may it have left? A connection that never came about says no; an answer that never came says perhaps.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from anymail import exceptions as anymail
from botocore import exceptions as boto
from django.core.exceptions import ImproperlyConfigured
from urllib3.exceptions import NewConnectionError

from .outcomes import Outcome, Verdict

#: A provider may ask us to stay away; not for longer than this, or a wrong clock of theirs would stop the mail for a day.
LONGEST_WAIT = timedelta(hours=1)

_BY_STATUS = {
    401: (Verdict.PAUSE, "not-authorised"),
    402: (Verdict.PAUSE, "not-authorised"),
    403: (Verdict.PAUSE, "not-authorised"),
    404: (Verdict.PAUSE, "not-found"),  # a wrong address or sending domain: true of every letter
    408: (Verdict.UNCERTAIN, "no-answer"),
    409: (Verdict.UNCERTAIN, "in-progress"),  # an earlier call with the same key
    425: (Verdict.LATER, "busy"),
    429: (Verdict.LATER, "busy"),
}

_BY_AWS_CODE = {
    "TooManyRequestsException": (Verdict.LATER, "busy"),
    "ThrottlingException": (Verdict.LATER, "busy"),
    "Throttling": (Verdict.LATER, "busy"),
    "LimitExceededException": (Verdict.LATER, "busy"),
    "AccountSuspendedException": (Verdict.PAUSE, "not-authorised"),
    "SendingPausedException": (Verdict.PAUSE, "not-authorised"),
    "MailFromDomainNotVerifiedException": (Verdict.PAUSE, "not-authorised"),
    "AccessDeniedException": (Verdict.PAUSE, "not-authorised"),
    "UnrecognizedClientException": (Verdict.PAUSE, "not-authorised"),
    "InvalidClientTokenId": (Verdict.PAUSE, "not-authorised"),
    "SignatureDoesNotMatch": (Verdict.PAUSE, "not-authorised"),
    "ExpiredTokenException": (Verdict.PAUSE, "not-authorised"),
    "NotFoundException": (Verdict.PAUSE, "not-found"),  # a configuration set that is not there
}


def of_exception(error, *, idempotent=False):
    """The Outcome of an exception. `idempotent`: the provider knows a repeated call, so what is in doubt is simply tried again."""
    outcome = _read(error)
    if idempotent and outcome.verdict is Verdict.UNCERTAIN:
        return Outcome(Verdict.RETRY, outcome.reason, outcome.detail)
    return outcome


def of_status(status, detail, *, retry_after="", now=None):
    """The Outcome of an HTTP answer."""
    verdict, reason = _BY_STATUS.get(status) or (
        (Verdict.UNCERTAIN, "server-error") if status >= 500 or status < 400 else (Verdict.FAILED, "refused")
    )
    wait = _wait(retry_after, now or datetime.now(UTC)) if verdict is Verdict.LATER else None
    return Outcome(verdict, reason, f"{status} {detail}", wait=wait)


def _wait(retry_after, now):
    """RFC 9110 §10.2.3: seconds or a date; None when there is neither."""
    try:
        wait = timedelta(seconds=int(retry_after))
    except (TypeError, ValueError):
        try:
            wait = parsedate_to_datetime(retry_after) - now
        except (TypeError, ValueError):
            return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def _read(error):
    cause = error.__cause__ or error
    detail = f"{type(cause).__name__}: {cause}"
    match cause:
        case boto.ClientError():
            return _of_aws(cause)
        case boto.EndpointConnectionError() | boto.ConnectTimeoutError() | boto.ProxyConnectionError():
            return Outcome(Verdict.LATER, "connection-broken", detail)
        case boto.NoCredentialsError() | boto.PartialCredentialsError() | boto.NoRegionError() | boto.CredentialRetrievalError():
            return Outcome(Verdict.PAUSE, "not-authorised", detail)
        case boto.ParamValidationError():
            return Outcome(Verdict.FAILED, "refused", type(cause).__name__)  # its sentence quotes the letter
        case boto.BotoCoreError():
            return Outcome(Verdict.UNCERTAIN, "no-answer", detail)
        case requests.ConnectTimeout() | requests.exceptions.ProxyError() | requests.exceptions.SSLError():
            return Outcome(Verdict.LATER, "connection-broken", detail)
        case requests.ConnectionError() if _never_connected(cause):
            return Outcome(Verdict.LATER, "connection-broken", detail)
    match error:
        case anymail.AnymailRecipientsRefused():
            return Outcome(Verdict.FAILED, "refused", _answer(error))
        case anymail.AnymailAPIError() if error.status_code:
            retry_after = error.response.headers.get("Retry-After", "") if error.response is not None else ""
            return of_status(error.status_code, _answer(error), retry_after=retry_after)
        case anymail.AnymailAPIError() | requests.RequestException():
            return Outcome(Verdict.UNCERTAIN, "no-answer", detail)
        case anymail.AnymailConfigurationError() | ImproperlyConfigured():
            return Outcome(Verdict.PAUSE, "misconfigured", detail)
        case ValueError() | TypeError():
            return Outcome(Verdict.FAILED, "defect", detail)  # the letter can't be put into this provider's words
    return Outcome(Verdict.UNCERTAIN, "defect", detail)  # perhaps in reading the answer: it may have left


def _never_connected(error):
    return any(isinstance(getattr(argument, "reason", None), NewConnectionError) for argument in error.args)


def _answer(error):
    """The provider's own sentence: never the request, which holds the letter."""
    return error.response.text if getattr(error, "response", None) is not None and hasattr(error.response, "text") else str(error)


def _of_aws(error):
    told = error.response.get("Error", {})
    code = told.get("Code", "")
    detail = f"{code} {told.get('Message', '')}"
    answer = error.response.get("ResponseMetadata", {})
    retry_after = answer.get("HTTPHeaders", {}).get("retry-after", "")
    if code in _BY_AWS_CODE:
        verdict, reason = _BY_AWS_CODE[code]
        return Outcome(verdict, reason, detail, wait=_wait(retry_after, datetime.now(UTC)) if verdict is Verdict.LATER else None)
    return of_status(answer.get("HTTPStatusCode", 500), detail, retry_after=retry_after)
