"""A subscriber's own page: topics, language, name, and the button that stops it all."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter import consent, links
from newsletter.models import Consent, Subscription, Topic

pytestmark = pytest.mark.django_db


@pytest.fixture
def second_topic(topic):
    second = Topic.objects.create(slug="recipes")
    second.texts.create(language="en", name="Healthy recipes")
    second.texts.create(language="es", name="Recetas sanas")
    return second


def path_of(subscriber, language="en"):
    return links.preferences_url(subscriber, language).removeprefix("http://testserver")


def save(client, subscriber, *topics, **changes):
    data = {"topics": list(topics), "language": "en", "first_name": "Ana", "last_name": "Gil", **changes}
    return client.post(path_of(subscriber), data)


def topics_of(subscriber):
    return set(subscriber.subscriptions.active().values_list("topic__slug", flat=True))


@pytest.mark.parametrize(("language", "names"), [("en", ["Newsletter", "Healthy recipes"]), ("es", ["Boletín", "Recetas sanas"])])
def test_topics_appear_by_their_names_in_the_pages_language(client, subscriber, second_topic, language, names):
    page = client.get(path_of(subscriber, language)).content.decode()

    assert all(name in page for name in names)


def test_the_address_is_masked(client, subscriber):
    page = client.get(path_of(subscriber)).content.decode()

    assert "a…@example.org" in page
    assert "ana@example.org" not in page


def test_a_new_topic_is_a_consent_to_the_words_shown(client, subscriber, second_topic):
    response = save(client, subscriber, "newsletter", "recipes")

    assert response["Location"] == f"{response.request['PATH_INFO']}?saved=1"
    assert topics_of(subscriber) == {"newsletter", "recipes"}
    evidence = Consent.objects.get(topic=second_topic)
    assert (evidence.given, evidence.method, evidence.form) == (True, Consent.Method.PREFERENCES, "preferences")
    assert evidence.wording.version == 1
    assert list(consent.check()) == []


def test_saving_says_that_it_is_saved_and_promises_no_letter(client, subscriber):
    page = client.get(save(client, subscriber)["Location"]).content.decode()

    assert "Your changes are saved." in page
    assert "next e-mail" not in page


def test_mistakes_stand_first_on_the_page_where_the_form_leads(client, subscriber):
    page = save(client, subscriber, first_name="https://win.example").content.decode().partition("<main")[2]

    assert page.index('tabindex="-1" id="errors"') < page.index("<h1>")
    assert 'method="post" action="#errors"' in page


def test_a_topic_left_is_a_withdrawal(client, subscriber, second_topic, topic):
    save(client, subscriber, "recipes")

    assert topics_of(subscriber) == {"recipes"}
    assert Subscription.objects.get(topic=topic).ending == Subscription.Ending.PERSON
    assert Consent.objects.filter(topic=topic, given=False, method=Consent.Method.PREFERENCES).count() == 1


def test_saving_the_same_again_adds_no_evidence(client, subscriber, second_topic):
    for _try in range(2):
        save(client, subscriber, "newsletter")

    assert Consent.objects.count() == 1


def test_language_and_name_are_saved(client, subscriber):
    save(client, subscriber, "newsletter", language="es", first_name="Anita", last_name="")

    subscriber.refresh_from_db()
    assert (subscriber.language, subscriber.first_name, subscriber.last_name) == ("es", "Anita", "")


def test_a_topic_without_words_in_the_pages_language_is_left_as_it_was(client, make_subscriber, topic):
    quiet = Topic.objects.create(slug="quiet")
    quiet.texts.create(language="es", name="Callado")
    subscriber = make_subscriber(topics=[topic, quiet])

    save(client, subscriber, "newsletter")

    assert topics_of(subscriber) == {"newsletter", "quiet"}


def test_a_topic_no_longer_offered_is_shown_to_who_reads_it_only(client, make_subscriber, second_topic, topic):
    reader, other = make_subscriber(topics=[second_topic]), make_subscriber("ben@example.org")
    Topic.objects.filter(pk=second_topic.pk).update(offered=False)

    assert "Healthy recipes" in client.get(path_of(reader)).content.decode()
    assert "Healthy recipes" not in client.get(path_of(other)).content.decode()
    assert save(client, other, "recipes").context["form"].errors.keys() == {"topics"}


def test_the_button_stops_everything(client, subscriber, second_topic):
    save(client, subscriber, "newsletter", "recipes")

    response = client.post(path_of(subscriber), {"stop": "1"}, follow=True)

    assert "You won’t get any more newsletters" in response.content.decode()
    assert topics_of(subscriber) == set()
    assert Consent.objects.filter(given=False, method=Consent.Method.PREFERENCES).count() == 2


@pytest.mark.parametrize(
    ("field", "value"), [("first_name", "http://evil.example"), ("last_name", "a" * 300), ("language", "fr"), ("topics", "nonsense")]
)
def test_bad_values_get_a_sentence_and_change_nothing(client, subscriber, field, value):
    response = save(client, subscriber, **{field: value})

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {field}
    subscriber.refresh_from_db()
    assert (subscriber.first_name, topics_of(subscriber)) == ("Ana", {"newsletter"})


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(client, subscriber, method):
    response = getattr(client, method)(f"{path_of(subscriber)}?stop=1&saved=1")

    assert response.status_code == 200
    assert topics_of(subscriber) == {"newsletter"}


def test_saving_needs_the_pages_csrf_token(subscriber):
    assert Client(enforce_csrf_checks=True).post(path_of(subscriber), {"stop": "1"}).status_code == 403
    assert topics_of(subscriber) == {"newsletter"}


def test_the_link_works_for_a_year(client, subscriber):
    path = path_of(subscriber)

    for days, status in ((364, 200), (366, 410)):
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            assert client.get(path).status_code == status


def test_the_page_is_not_kept_or_listed_and_wrong_methods_are_refused(client, subscriber):
    response = client.get(path_of(subscriber))

    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex"
    assert client.put(path_of(subscriber)).status_code == 405
