"""Health, and the pages for what goes wrong: a sentence and a way on, in the visitor's language."""

import sys

from django.db import InterfaceError, InternalError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import health
from .pages import refused_method, trouble


@require_safe
@never_cache
def live(request):
    """200 as long as the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request):
    """200 when the database answers and is migrated, else 503. Broker and tick age are told and never make it fail."""
    try:
        plan = MigrationExecutor(connection)
        pending = bool(plan.migration_plan(plan.loader.graph.leaf_nodes()))
    except Exception:  # noqa: BLE001  whatever the driver raises, the answer is the same
        return JsonResponse({"database": "down"}, status=503)
    body = {"database": "ok", "migrations": "pending" if pending else "ok", **health.report()}
    return JsonResponse(body, status=503 if pending else 200)


def bad_request(request, exception=None):
    return trouble(request, 400, _("We couldn’t read that"), _("Something in the request was not as expected. Please go back and try again."))


def permission_denied(request, exception=None):
    return trouble(request, 403, _("This page isn’t open to you"), _("If you think it should be, please ask the practice."))


def csrf_failure(request, reason=""):
    methods = request.resolver_match and getattr(request.resolver_match.func, "methods", None)
    if methods and request.method not in methods:
        return refused_method(request, methods)  # no token would help
    return trouble(
        request,
        403,
        _("Please press the button once more"),
        _("For your safety we only accept a form from a page opened a short while ago. Go back, load the page again, and send it once more."),
    )


def page_not_found(request, exception=None):
    return trouble(request, 404, _("We couldn’t find that page"), _("The address may have changed, or the seminar may be over."))


def server_error(request):
    """Whatever broke may be the database, so this page takes no request context: it would ask for the practice.

    503 when it is the database that is away, busy or read-only: that passes, so a crawler or a mail provider may come again.
    """
    context = {"title": _("Something went wrong on our side"), "text": _("Please try again in a minute, or call us.")}
    away = isinstance(sys.exception(), (OperationalError, InterfaceError, InternalError))
    response = HttpResponse(render_to_string("500.html", context), status=503 if away else 500)
    if away:
        response["Retry-After"] = "60"
    return response
