"""The newsletter's public pages. GET and HEAD change nothing: mail scanners follow every link, so each act is a pressed button."""

import logging
from datetime import timedelta

from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from project.mail import tokens
from project.practice.exports import pdf_response
from project.practice.pages import JustTyped, form_status, page_or_button, private, read_only, trouble

from . import packets, subscribing
from .consent import PURPOSE
from .forms import PacketForm, PreferencesForm, SubscribeForm
from .models import Consent, InfoPacket, Subscriber, Topic

logger = logging.getLogger(__name__)

#: A letter's link to the preferences shows a name, so it does not work for ever; each newer letter brings a new one.
PREFERENCES_FOR = timedelta(days=365)


# -- Asking ----------------------------------------------------------------------------------------------------------------------------


@page_or_button
def info_packet(request):
    """The packets on offer in the page's language, and the form to ask for one."""
    offered = list(InfoPacket.objects.offered(get_language()))
    if not offered:
        return render(request, "newsletter/info_packet.html")
    initial = {"packet": request.GET.get("packet")}
    form = PacketForm(request.POST if request.method == "POST" else None, request=request, packets=offered, initial=initial)
    if form.is_bound:
        if form.is_caught():
            return redirect("info-packet-asked")
        if form.is_valid():
            form.ask()
            return _TYPED.redirect(request, form.cleaned_data["email"], "info-packet-asked")
    return _form_page(request, "info_packet", form, packets=[packet.text() for packet in offered])


@page_or_button
def subscribe(request):
    form = SubscribeForm(request.POST if request.method == "POST" else None, request=request)
    if request.method == "POST":
        if form.is_caught():
            return redirect("newsletter-asked")
        if form.shown and form.is_valid():
            form.ask()
            return _TYPED.redirect(request, form.cleaned_data["email"], "newsletter-asked")
    return _form_page(request, "subscribe", form)


def _form_page(request, template, form, **context):
    response = render(request, f"newsletter/{template}.html", {"form": form, **context}, status=form_status(form))
    response["Cache-Control"] = "no-store"  # a shared phone must not show the next person what was typed
    return response


_TYPED = JustTyped("asked")


@read_only
@private
def asked(request):
    """“Look in your mailbox”: the same page for everybody but for the address, and that is what was just typed, never what we knew."""
    return render(request, "newsletter/asked.html", {"address": _TYPED.read(request) or ""})


# -- Confirming ------------------------------------------------------------------------------------------------------------------------


@page_or_button
@private
def confirm(request, token):
    """The page a confirmation letter opens: one button, then whatever it opened. Pressed again it shows just that."""
    asked = packets.request_of(token)
    if asked is None:
        return _altered(request)
    page = packets.page(asked)
    if request.method == "POST":
        # Only what the page showed: something asked for after it was opened waits for a press of its own.
        shown = request.POST.getlist("request") or [asked.public_id.hex]
        for waiting in page.waiting:
            if waiting.public_id.hex in shown:
                subscribing.confirm(waiting)
        page = packets.page(packets.request_of(token))
        if not page.is_over:
            return redirect(request.path)
    if page.is_over:
        return _expired(request, "info-packet" if asked.packet_id else "newsletter-subscribe")
    return render(request, "newsletter/confirm.html", {"page": page, "preferences": page.subscriber and _own_page(page.subscriber)})


def _own_page(subscriber):
    return reverse("newsletter-preferences", args=[tokens.make("preferences", subscriber.public_id.hex)])


@read_only
@private
def packet_file(request, token):
    """The PDF itself, in the language it was asked for in, once the address is confirmed."""
    asked = packets.request_of(token)
    if asked is None or asked.packet is None:
        return _altered(request)
    page = packets.page(asked)
    if asked.confirmed_at is None and page.waiting:
        return redirect("info-packet-open", token=token)
    text = asked.packet.text(asked.language) if page.opened else None
    if text is None:
        return _expired(request, "info-packet")
    try:
        file = text.pdf.open("rb")
    except FileNotFoundError:
        logger.exception("The file of packet text %s is missing.", text.pk)
        return trouble(
            request, 404, _("This packet can’t be opened right now"), _("The mistake is ours. Please call us, and we will get it to you.")
        )
    return pdf_response(file, f"{asked.packet.slug}-{asked.language}.pdf")


# -- A subscriber's own pages ----------------------------------------------------------------------------------------------------------


@page_or_button
@private
def preferences(request, token):
    public_id = tokens.read("preferences", token)
    if public_id is None:
        return _altered(request)
    subscriber = Subscriber.objects.filter(public_id=public_id).first()
    if subscriber is None or tokens.read("preferences", token, max_age=PREFERENCES_FOR) is None:
        return _expired(request, "newsletter-subscribe")
    topics = Topic.objects.choosable(subscriber, get_language())
    form = PreferencesForm(request.POST if request.method == "POST" else None, subscriber=subscriber, topics=topics)
    wording = subscribing.current_wording(PURPOSE, get_language())
    if request.method == "POST":
        if "stop" in request.POST:
            subscribing.unsubscribe(subscriber, Consent.Method.PREFERENCES, form="preferences")
            return redirect("newsletter-unsubscribe", token=tokens.make("unsubscribe", subscriber.public_id.hex))
        if form.is_valid():
            subscribing.save_preferences(
                subscriber,
                topics=form.chosen(),
                among=topics,
                wording=wording,
                language=form.cleaned_data["language"],
                first_name=form.cleaned_data["first_name"],
                last_name=form.cleaned_data["last_name"],
            )
            return redirect(f"{request.path}?saved=1")
    context = {
        "form": form,
        "wording": wording,
        "address": _masked(subscriber.address),
        "saved": "saved" in request.GET and request.method != "POST",
        "reads": subscriber.subscriptions.active().exists(),
    }
    return render(request, "newsletter/preferences.html", context, status=form_status(form))


def _masked(address):
    """`ana@example.org` → `a…@example.org`: enough to know one's own, too little for whoever was forwarded the letter."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


@csrf_exempt  # for RFC 8058's machines; the page's own buttons are checked below
@page_or_button
@private
def unsubscribe(request, token):
    """A page with one button, and the address that one-click unsubscribe posts to (RFC 8058 §3.1: no cookie, no token, no redirect)."""
    public_id = tokens.read("unsubscribe", token)
    if public_id is None:
        return _altered(request)
    subscriber = Subscriber.objects.filter(public_id=public_id).first()  # None: erased, so there is nothing left to stop
    if request.method == "POST":
        if _is_one_click(request):
            if subscriber:
                subscribing.unsubscribe(subscriber, Consent.Method.ONE_CLICK)
            return HttpResponse(_("You are unsubscribed.") + "\n", content_type="text/plain; charset=utf-8")
        if subscriber and _came_from_our_page(request):
            if "stop" in request.POST:
                subscribing.unsubscribe(subscriber, Consent.Method.UNSUBSCRIBE)
                return redirect(request.path)
            if "undo" in request.POST:
                subscribing.take_back(subscriber)
                return redirect(f"{request.path}?back=1")
    active = bool(subscriber) and subscriber.subscriptions.active().exists()
    context = {
        "active": active,
        "stopped": bool(subscriber) and subscribing.just_stopped(subscriber),
        "back": active and "back" in request.GET,
    }
    return render(request, "newsletter/unsubscribe.html", context)


def _is_one_click(request):
    """RFC 8058 §3.2: the pair as a form, urlencoded or multipart; we also take it where the mail program forgot to say which."""
    if request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return request.POST.get("List-Unsubscribe") == "One-Click"
    return request.body.strip() == b"List-Unsubscribe=One-Click"


class _Csrf(CsrfViewMiddleware):
    def _reject(self, request, reason):
        return reason


def _came_from_our_page(request):
    return _Csrf(lambda request: None).process_view(request, None, (), {}) is None


# -- Links that no longer work ---------------------------------------------------------------------------------------------------------


def _altered(request):
    return trouble(
        request,
        404,
        _("This link is not complete"),
        _("Sometimes a mail program breaks a long link. Please open it once more from our e-mail, by its button."),
        again=reverse("info-packet"),
    )


def _expired(request, form):
    return trouble(
        request,
        410,
        _("This link has expired"),
        _("For your safety it worked for a limited time only. You can ask for a new one."),
        again=reverse(form),
    )
