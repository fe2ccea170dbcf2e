"""Which pages the desk has: `{what a coordinator calls it: its address}`."""

from urllib.parse import urlencode

from django.urls import reverse

from newsletter.models import Campaign, Delivery, InfoPacket, PacketRequest, Subscriber
from project.mail.models import Event, Message, Route, Suppression
from seminars.models import Registration, Seminar

#: The lists, each with what is clicked or typed there.
LISTS = {
    "newsletter_subscriber": [
        {"language__exact": "es"},
        {"reads": "newsletter"},
        {"reads": "few"},
        {"reads": "nothing"},
        {"reads": "nothing", "language__exact": "es"},
        {"p": "2"},
        {"o": "1"},
        {"o": "-3"},
        {"q": "Walter"},
        {"q": "Zuleika"},
        {"q": "maria"},
        {"q": "Williams, Walter"},
        {"q": "jose garcia"},
        {"q": "nobody"},
        {"q": "reader777@example.org"},
        {"q": "reader777"},
        {"q": "4321"},
        {"q": "Walter", "reads": "nothing"},
    ],
    "newsletter_topic": [],
    "newsletter_consentwording": [],
    "newsletter_consent": [{"given__exact": "0"}, {"method__exact": "complaint"}, {"method__exact": "double-opt-in"}, {"p": "2"}],
    "newsletter_infopacket": [],
    "newsletter_packetrequest": [
        {"confirmed_at__isempty": "1"},
        {"newsletter__exact": "1"},
        {"language__exact": "es"},
        {"q": "Walter"},
        {"q": "reader777@example.org"},
    ],
    "newsletter_campaign": [{"status__exact": "sent"}, {"q": "spring"}],
    "mail_message": [
        {"state__exact": "failed"},
        {"state__exact": "pending"},
        {"state__exact": "sent"},
        {"state__exact": "skipped"},
        {"kind": "newsletter.campaign-test"},
        {"language__exact": "es"},
        {"q": "reader777@example.org"},
        {"o": "5"},
    ],
    "mail_event": [{"type__exact": "bounced"}, {"provider__exact": "mailgun"}, {"hard__exact": "1"}, {"q": "reader777@example.org"}],
    "mail_suppression": [{"scope__exact": "all"}, {"reason__exact": "complaint"}, {"q": "reader777@example.org"}],
    "mail_route": [],
    "seminars_registration": [{"q": "Williams"}, {"q": "Walter Williams"}, {"q": "4321"}, {"status__exact": "cancelled"}],
    "seminars_callback": [],
}

_ONE_OF = [Subscriber, InfoPacket, PacketRequest, Message, Event, Suppression, Route, Registration, Seminar]


def addresses():
    return {"Today": reverse("admin:index"), **_lists(), **_single_rows(), **_campaigns()}


def _lists():
    found = {}
    for model, queries in LISTS.items():
        for query in [{}, *queries]:
            words = " ".join(f"{name}={value}" for name, value in query.items())
            found[f"{model.partition('_')[2]} list {words}".strip()] = list_address(model, query)
    return found


def list_address(model, query):
    return reverse(f"admin:{model}_changelist") + (f"?{urlencode(query)}" if query else "")


def _single_rows():
    found = {}
    for model in _ONE_OF:
        change = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        found[f"a {model._meta.model_name}"] = reverse(change, args=[model.objects.first().pk])
    return found


def _campaigns():
    draft, sent = (Campaign.objects.filter(status=status).first().pk for status in (Campaign.Status.DRAFT, Campaign.Status.SENT))
    found = {f"draft: {page}": reverse(f"admin:newsletter_campaign_{page}", args=[draft]) for page in ("change", "preview", "schedule")}
    report = reverse("admin:newsletter_campaign_report", args=[sent])
    found["report"] = report
    for state in Delivery.State.values:
        found[f"report: {state}"] = f"{report}?state={state}"
    for page in (2, 50, 100, 9_000):
        found[f"report: sent, page {page}"] = f"{report}?state=sent&page={page}"
    return found
