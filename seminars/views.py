"""The public pages of seminars. GET and HEAD change nothing: mail scanners follow every link, so each act is a pressed button."""

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter import packets, subscribing
from project.practice.guard import place_of
from project.practice.links import absolute
from project.practice.models import Practice
from project.practice.pages import JustTyped, altered_link, form_status, page_or_button, private, read_only, trouble

from . import calendar_links, jsonld, links, nearby, waiting
from . import registration as verbs
from .forms import FilterForm, RegisterForm
from .models import Mode, Registration, Seminar
from .refusals import Refused, RegistrationClosed
from .words import map_url

#: Seminars on the home page.
NEXT = 3

Status = Registration.Status


# -- Finding a seminar -----------------------------------------------------------------------------------------------------------------


@read_only
def home(request):
    context = {
        "seminars": list(_to_come()[:NEXT]),
        "packets": packets.offered(get_language()),
    }
    return render(request, "seminars/home.html", context)


@read_only
def seminar_list(request):
    """Seminars one can still come to, soonest first; near a ZIP code, nearest first. The ZIP code is used for this answer and kept nowhere."""
    form = FilterForm(request.GET)
    seminars = list(form.narrow(_to_come()))
    feed = absolute("seminars-calendar")
    context = {
        "count": len(seminars),
        "seminars": seminars,
        "by_distance": nearby.by_distance(seminars, form.place, in_person=form.is_in_person) if form.place else None,
        "form": form,
        "feed": feed,
        "webcal": "webcal" + feed[feed.index(":") :],
    }
    return render(request, "seminars/list.html", context)


def _to_come():
    """Those with words in the page's language: never another's in their place."""
    return Seminar.objects.published().to_come(timezone.now()).filter(texts__language=get_language()).with_words()


def _other_dates(found):
    return _to_come().repeating(found)[:NEXT]


@read_only
def seminar(request, slug):
    found, is_preview = _visible(request, slug)
    now = timezone.now()
    practice = Practice.current()
    full = [pool.mode for pool in found.pools.all() if not pool.free]
    context = {
        "seminar": found,
        "text": found.text(),
        "room": found.venue.text() if found.venue else None,
        "is_preview": is_preview,
        "is_open": found.is_open(now),
        "is_over": found.ends_at <= now,
        "is_full": len(full) == len(found.modes),
        "full_mode": full[0] if full else "",
        "map_url": map_url(found.venue.address, request.headers.get("User-Agent", "")) if found.venue else "",
        "other_dates": _other_dates(found),
        "jsonld": "" if is_preview else jsonld.script(jsonld.event(found, practice, now)),
    }
    response = render(request, "seminars/seminar.html", context)
    patch_vary_headers(response, ["User-Agent"])  # for the map link
    return response


def _visible(request, slug):
    """The seminar and whether this is a preview: drafts, and what was never published, only staff who may see seminars get to see."""
    found = get_object_or_404(Seminar.objects.with_words(), slug=slug)
    is_public = found.published_at is not None and found.status != Seminar.Status.DRAFT
    may_preview = not is_public and request.user.is_staff and request.user.has_perm("seminars.view_seminar")
    if not (is_public or may_preview) or found.text() is None:
        raise Http404
    return found, not is_public


# -- Registering -----------------------------------------------------------------------------------------------------------------------


@page_or_button
def register(request, slug):
    """One screen. Whoever sends it is told the same, whether or not that person was registered before: see `registered`."""
    found, is_preview = _visible(request, slug)
    if is_preview or not found.is_open(timezone.now()):
        context = {"seminar": found, "text": found.text(), "other_dates": _other_dates(found)}
        return render(request, "seminars/closed.html", context, status=410)
    if request.method != "POST":
        return _form_page(request, found, RegisterForm(request=request, seminar=found))
    form = RegisterForm(_as_decided(request.POST), request=request, seminar=found)
    if form.is_caught():
        return redirect("seminar-registered", slug=slug)
    if not form.is_valid():
        return _form_page(request, found, form, status=form_status(form))
    pool = next(pool for pool in found.pools.all() if pool.mode == form.mode_chosen)
    fits = form.cleaned_data["party_size"] <= pool.free
    if not fits and "waiting" not in request.POST:
        return _form_page(request, found, form, short=pool, status=422)
    try:
        _register(found, form, promised=fits, place=place_of(request))
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _form_page(request, found, form, status=410 if isinstance(refusal, RegistrationClosed) else 422)
    return _thank(request, found, form, fits)


def _as_decided(posted):
    """What was posted, as changed by the button that was pressed where seats were short: come `instead` that way, or `fewer` of you."""
    decided = posted.copy()
    for button, field in (("instead", "mode"), ("fewer", "party_size")):
        if button in posted:
            decided[field] = posted[button]
    return decided


def _form_page(request, found, form, *, short=None, status=200):
    """`short`: the pool in which there are fewer seats than the party needs; the page then offers what is left to do."""
    context = {
        "seminar": found,
        "text": found.text(),
        "form": form,
        "short": short and _what_is_left(found, short, form.cleaned_data["party_size"]),
        "is_full": not any(pool.free for pool in found.pools.all()),
    }
    response = render(request, "seminars/register.html", context, status=status)
    response["Cache-Control"] = "no-store"  # a shared phone must not show the next person what was typed
    return response


def _what_is_left(found, pool, party):
    """For a party that a pool has too few seats for: the `fewer` who do fit, and the other mode to come `instead`, for all of them.

    How many fit is said as a number, the only place where one is. Elsewhere seats are said in rough words, because a count that goes down
    tells who has registered. Here words would hide nothing: whoever asks for four, then three, then two has counted the same seats without
    taking one. The number is below four, and only who asks for more than there is gets it; to hide it would cost a family three presses.
    """
    return {
        "mode": pool.mode,
        "party": party,
        "fewer": pool.free,
        "instead": next((other.mode for other in found.pools.all() if other.mode != pool.mode and other.free >= party), ""),
    }


def _register(found, form, *, promised, place):
    person = {name: form.cleaned_data[name] for name in ("first_name", "last_name", "email", "language")}
    verbs.register(
        found,
        mode=form.mode_chosen,
        phone=form.cleaned_data["phone"],
        party_size=form.cleaned_data["party_size"],
        nonce=form.press,
        promised=promised,
        place=place,
        **person,
    )
    if form.cleaned_data.get("newsletter"):
        address = person.pop("email")
        subscribing.ask(address, **person, form="register", wording=form.wording, newsletter=True)


# After the form comes a page whose address is the same for everybody. A redirect to the registration's own page would be friendlier, but
# anybody can type anybody's name and address: whoever is registered already would come out on their page, others on a new one, and a
# stranger could tell who goes to a spine seminar, or even cancel for them. So the way to one's own page is in the letter alone, and the
# thank-you page shows what was just typed, never what we knew, and each of its sentences is true for whoever sends the form: new, registered
# already, told of it today, or asking for more than one address gets.
_TYPED = JustTyped("registered", version=2)


def _thank(request, found, form, fits):
    data = form.cleaned_data
    said = [data["first_name"], data["email"], data["party_size"], form.mode_chosen, fits, data.get("newsletter", False)]
    return _TYPED.redirect(request, said, "seminar-registered", slug=found.slug)


@read_only
@private
def registered(request, slug):
    """Thank you: what was just typed, and what happens next. Without the cookie (blocked, or too old) the same without the name."""
    found, is_preview = _visible(request, slug)
    if is_preview:
        raise Http404
    said = _TYPED.read(request)
    context = {"seminar": found, "text": found.text(), "is_known": said is not None, "mode": None}
    if said:
        context |= dict(zip(("first_name", "email", "party_size", "mode", "fits", "newsletter"), said, strict=True))
    return render(request, "seminars/registered.html", context)


# -- A registration's own page ---------------------------------------------------------------------------------------------------------


@read_only
@private
def registration(request, token):
    """All about one registration, for whoever has the letter."""
    found = links.registration_of(token)
    if found is None:
        return altered_link(request)
    venue = found.seminar.venue
    address = map_url(venue.address, request.headers.get("User-Agent", "")) if venue else ""
    return render(request, "seminars/registration.html", _own_context(found, token) | {"map_url": address})


def _own_context(found, token):
    now = timezone.now()
    seminar, place = found.seminar, waiting.place(found)
    confirmed = found.status == Status.CONFIRMED
    is_over = seminar.ends_at <= now
    return {
        "registration": found,
        "seminar": seminar,
        "text": seminar.text(),
        "token": token,
        "is_confirmed": confirmed,
        "is_waiting": found.status == Status.WAITLISTED,
        "is_cancelled": found.status == Status.CANCELLED,
        "is_online": found.mode == Mode.ONLINE,
        "is_over": is_over,
        "can_cancel": found.is_active and not is_over,
        "can_register": seminar.is_open(now),
        "place_words": waiting.place_words(place) if place else "",
        "join_url": seminar.join_url if confirmed and found.mode == Mode.ONLINE and not is_over else "",
        "calendars": calendar_links.calendar_links(found, Practice.current()) if confirmed and not is_over else [],
    }


@page_or_button
@private
def cancel(request, token):
    """A page with one button. Pressed again, by whoever, it says the same and does nothing more."""
    found = links.registration_of(token)
    if found is None:
        return altered_link(request)
    own_page = reverse("registration", args=[token])
    if request.method == "POST":
        try:
            verbs.cancel(found)
        except RegistrationClosed as refusal:
            return trouble(request, 410, _("It is too late to cancel"), str(refusal))
        return redirect(own_page)
    context = _own_context(found, token)
    return render(request, "seminars/cancel.html", context) if context["can_cancel"] else redirect(own_page)
