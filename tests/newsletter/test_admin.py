"""What the front desk does with readers, topics, packets and evidence."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from newsletter import consent, subscribing
from newsletter.models import Consent, ConsentWording, InfoPacket, PacketRequest, Subscriber, Subscription, Topic
from newsletter.templatetags import newsletter_today
from newsletter.templatetags.newsletter_today import subscribers_today
from project.mail import suppressions
from project.mail.addresses import address_hash
from tests.newsletter.conftest import PDF

pytestmark = pytest.mark.django_db


def text_of(response):
    return response.content.decode()


def changelist(client, **query):
    return client.get(reverse("admin:newsletter_subscriber_changelist"), query)


def add_person(client, topic, **changes):
    data = {
        "first_name": "Rosa",
        "last_name": "Peña",
        "address": "rosa@example.org",
        "language": "es",
        "topics": [topic.pk],
        "note": "On the phone, she asked for it herself.",
        "subscriptions-TOTAL_FORMS": "0",
        "subscriptions-INITIAL_FORMS": "0",
        "consents-TOTAL_FORMS": "0",
        "consents-INITIAL_FORMS": "0",
    }
    return client.post(reverse("admin:newsletter_subscriber_add"), {**data, **changes})


@pytest.mark.parametrize("model", ["subscriber", "topic", "consent", "consentwording", "infopacket", "packetrequest"])
def test_every_list_opens(admin_client, subscriber, packet, model):
    subscribing.ask("b@example.org", first_name="", last_name="", language="en", form="x", wording=None, packet=packet, newsletter=False)

    assert admin_client.get(reverse(f"admin:newsletter_{model}_changelist")).status_code == 200


def test_people_are_found_by_name_and_address(admin_client, make_subscriber):
    make_subscriber("ana@example.org", first_name="Ana")
    make_subscriber("ben@example.org", first_name="Ben")

    for words in ("Ben", "ben@example.org"):
        page = text_of(changelist(admin_client, q=words))
        assert ("ben@example.org" in page, "ana@example.org" in page) == (True, False)


@pytest.mark.parametrize(
    "typed",
    [
        "Rosa", "peña", "PENA", "rosa maría", "Peña López", "Rosa Peña", "Peña, Rosa", "pena lopez rosa maria", "ROSA.P", "Rosa.P@example.org",
    ],
)  # fmt: skip
def test_a_person_is_found_as_one_types_names_and_addresses(admin_client, make_subscriber, typed):
    person = make_subscriber("Rosa.P@example.org", first_name="Rosa María", last_name="Peña López")
    make_subscriber("walter@example.org", first_name="Walter", last_name="Williams")

    assert list(changelist(admin_client, q=typed).context["cl"].queryset) == [person]


@pytest.mark.parametrize("typed", ["osa", "example.org", "@example.org", "Rosa Williams", "%"])
def test_nobody_is_found_by_the_middle_of_a_word_or_by_two_people_at_once(admin_client, make_subscriber, typed):
    make_subscriber("rosa.p@example.org", first_name="Rosa María", last_name="Peña López")
    make_subscriber("walter@example.org", first_name="Walter", last_name="Williams")

    assert list(changelist(admin_client, q=typed).context["cl"].queryset) == []


def test_a_changed_name_is_found_at_once_and_the_old_one_no_more(make_subscriber):
    saved, updated = make_subscriber("ana@example.org"), make_subscriber("ben@example.org")

    saved.first_name = "Íñigo"
    saved.save(update_fields=["first_name"])
    Subscriber.objects.filter(pk=updated.pk).update(last_name="Núñez")

    assert list(Subscriber.objects.found_by("inigo")) == [saved]
    assert list(Subscriber.objects.found_by("nunez")) == [updated]
    assert list(Subscriber.objects.found_by("ana gil")) == []


def test_people_are_listed_by_what_they_read(admin_client, make_subscriber):
    make_subscriber("ana@example.org")
    subscribing.unsubscribe(make_subscriber("ben@example.org"), Consent.Method.UNSUBSCRIBE)

    reads, nothing = text_of(changelist(admin_client, reads="newsletter")), text_of(changelist(admin_client, reads="nothing"))

    assert ("ana@example.org" in reads, "ben@example.org" in reads) == (True, False)
    assert ("ana@example.org" in nothing, "ben@example.org" in nothing) == (False, True)


def test_the_list_costs_the_same_queries_for_any_number_of_people(admin_client, make_subscriber):
    make_subscriber("reader0@example.org")
    changelist(admin_client)
    with CaptureQueriesContext(connection) as one:
        changelist(admin_client)
    for n in (1, 2):
        make_subscriber(f"reader{n}@example.org")
    with CaptureQueriesContext(connection) as three:
        changelist(admin_client)

    assert len(one) == len(three)


def test_a_person_is_added_by_word_of_mouth_with_its_evidence(admin_client, topic, practice):
    assert add_person(admin_client, topic).status_code == 302

    subscriber = Subscriber.objects.get()
    evidence = Consent.objects.get()
    assert (evidence.method, evidence.wording.language, evidence.given) == (Consent.Method.COORDINATOR, "es", True)
    assert evidence.note == "On the phone, she asked for it herself. (admin)"
    assert subscriber.subscriptions.active().get().topic == topic
    assert list(consent.check()) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("note", ""),
        ("topics", []),
        ("address", "ana@localhost"),
        ("address", "a@example.org,b@example.org"),
        ("first_name", "http://evil.example"),
    ],
)
def test_without_a_note_a_topic_or_a_good_address_nobody_is_added(admin_client, topic, practice, field, value):
    response = add_person(admin_client, topic, **{field: value})

    assert response.context["adminform"].form.errors.keys() == {field}
    assert not Subscriber.objects.exists()


def test_an_address_already_in_the_list_is_said_to_be(admin_client, topic, subscriber):
    response = add_person(admin_client, topic, address="ANA@example.org")

    assert "in the list already" in text_of(response)
    assert Subscriber.objects.count() == 1


def test_who_left_may_come_back_by_phone(admin_client, subscriber, topic):
    subscribing.unsubscribe(subscriber, Consent.Method.UNSUBSCRIBE)
    data = {"first_name": "Ana", "last_name": "Gil", "language": "en", "topics": [topic.pk], "note": "She called."}
    formsets = {f"{name}-{kind}_FORMS": "0" for name in ("subscriptions", "consents") for kind in ("TOTAL", "INITIAL")}

    response = admin_client.post(reverse("admin:newsletter_subscriber_change", args=[subscriber.pk]), {**data, **formsets})

    assert response.status_code == 302
    assert subscriber.subscriptions.active().exists()


def test_the_address_of_a_consent_is_not_changed(admin_client, subscriber):
    page = text_of(admin_client.get(reverse("admin:newsletter_subscriber_change", args=[subscriber.pk])))

    assert 'name="address"' not in page
    assert "on the preferences page" not in page
    assert "ticked a box and confirmed by letter" in page


def test_an_address_that_takes_no_letters_is_pointed_out(admin_client, topic, practice):
    suppressions.hard_bounce(address_hash("rosa@example.org"))

    response = add_person(admin_client, topic)

    assert "does not accept our letters" in text_of(admin_client.get(response["Location"]))


def test_letters_are_stopped_from_the_persons_own_page_which_then_says_so(admin_client, subscriber):
    address = reverse("admin:newsletter_subscriber_change", args=[subscriber.pk])
    before = text_of(admin_client.get(address))

    admin_client.post(reverse("admin:newsletter_subscriber_changelist"), {"action": "stop_all", "_selected_action": subscriber.pk}, follow=True)

    after = text_of(admin_client.get(address))
    assert ("Nothing stands in the way." in before, 'value="stop_all"' in before) == (True, True)
    assert "This person reads no newsletter now." in after
    assert ("Nothing stands in the way." in after, 'value="stop_all"' in after) == (False, False)
    assert not subscriber.subscriptions.active().exists()


def test_stopping_all_letters_to_the_chosen_people(admin_client, make_subscriber):
    stays, goes = make_subscriber("ana@example.org"), make_subscriber("ben@example.org")

    response = admin_client.post(
        reverse("admin:newsletter_subscriber_changelist"), {"action": "stop_all", "_selected_action": [goes.pk]}, follow=True
    )

    assert "1 person gets no more newsletters." in text_of(response)
    assert (stays.subscriptions.active().exists(), goes.subscriptions.active().exists()) == (True, False)
    assert goes.subscriptions.get().ending == Subscription.Ending.COORDINATOR
    assert Consent.objects.get(given=False).note == "admin"


@pytest.mark.parametrize("model", ["subscriber", "consent", "consentwording", "packetrequest"])
def test_evidence_cannot_be_deleted_here(admin_client, subscriber, packet, model):
    subscribing.ask("b@example.org", first_name="", last_name="", language="en", form="x", wording=None, packet=packet, newsletter=False)
    row = {"subscriber": Subscriber, "consent": Consent, "consentwording": ConsentWording, "packetrequest": PacketRequest}[
        model
    ].objects.first()

    assert admin_client.post(reverse(f"admin:newsletter_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", [Consent, ConsentWording])
def test_evidence_is_shown_and_not_changed(admin_client, subscriber, model):
    url = reverse(f"admin:newsletter_{model._meta.model_name}_change", args=[model.objects.first().pk])

    assert admin_client.get(url).status_code == 200
    assert admin_client.post(url, {"text": "Other words"}).status_code == 403


def test_new_words_are_a_new_version(admin_client, subscriber):
    admin_client.post(reverse("admin:newsletter_consentwording_add"), {"language": "en", "text": "Newer words."})

    assert subscribing.current_wording("newsletter", "en").text == "Newer words."
    assert subscribing.current_wording("newsletter", "en").version == 2
    assert Consent.objects.get().wording.version == 1


def test_one_topic_stays_the_standard(admin_client, topic):
    texts = {"texts-TOTAL_FORMS": "0", "texts-INITIAL_FORMS": "0"}

    response = admin_client.post(reverse("admin:newsletter_topic_change", args=[topic.pk]), {"slug": "newsletter", "offered": "on", **texts})

    assert "One topic must be" in text_of(response)
    assert Topic.objects.get().standard


def packet_form(**files):
    return {
        "slug": "new-packet",
        "offered": "on",
        "position": "0",
        "texts-TOTAL_FORMS": "1",
        "texts-INITIAL_FORMS": "0",
        "texts-0-language": "en",
        "texts-0-title": "New packet",
        "texts-0-summary": "All about it.",
        **files,
    }


def test_a_packet_is_made_with_its_file_and_opens_here(admin_client, practice, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    upload = SimpleUploadedFile("new.pdf", PDF, "application/pdf")

    assert admin_client.post(reverse("admin:newsletter_infopacket_add"), packet_form(**{"texts-0-pdf": upload})).status_code == 302

    packet = InfoPacket.objects.get()
    file = reverse("admin:newsletter_infopacket_file", args=[packet.texts.get().pk])
    assert file in text_of(admin_client.get(reverse("admin:newsletter_infopacket_change", args=[packet.pk])))
    assert b"".join(admin_client.get(file).streaming_content) == PDF


@pytest.mark.parametrize(("name", "content"), [("new.pdf", b"<html>"), ("new.exe", PDF), ("new.pdf", b"")])
def test_what_is_no_pdf_is_refused(admin_client, practice, name, content):
    upload = SimpleUploadedFile(name, content, "application/pdf")

    assert admin_client.post(reverse("admin:newsletter_infopacket_add"), packet_form(**{"texts-0-pdf": upload})).status_code == 200
    assert not InfoPacket.objects.exists()


def test_the_file_needs_permission(client, django_user_model, packet):
    client.force_login(django_user_model.objects.create_user("visitor", is_staff=True))

    assert client.get(reverse("admin:newsletter_infopacket_file", args=[packet.texts.first().pk])).status_code == 404


def test_today_counts_readers_newcomers_and_who_has_not_confirmed(make_subscriber, topic, packet):
    second = Topic.objects.create(slug="second")
    make_subscriber("ana@example.org", topics=[topic, second])
    make_subscriber("ben@example.org", language="es", at=timezone.now() - timedelta(days=30))
    subscribing.unsubscribe(make_subscriber("cai@example.org"), Consent.Method.UNSUBSCRIBE)
    for _try in range(2):
        subscribing.ask("dia@example.org", first_name="", last_name="", language="en", form="x", wording=None, packet=packet, newsletter=False)
    PacketRequest.objects.create(address="e@example.org", language="en", form="x", requested_at=timezone.now() - timedelta(days=8))

    figures = {name: str(count) for name, count in subscribers_today().items()}
    assert figures == {"english": "1", "spanish": "1", "new": "1", "unconfirmed": "1"}


@pytest.mark.parametrize(("newcomers", "said"), [(2, "2"), (3, "more than 2")])
def test_today_counts_people_and_not_what_they_read(make_subscriber, topic, monkeypatch, newcomers, said):
    monkeypatch.setattr(newsletter_today, "MOST", 2)
    second = Topic.objects.create(slug="second")
    for n in range(newcomers):
        make_subscriber(f"reader{n}@example.org", topics=[topic, second])

    assert str(subscribers_today()["new"]) == said
