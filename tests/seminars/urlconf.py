"""The addresses letters link to, for tests of letters alone."""

from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.urls import path

from project.urls import urlpatterns as site


def nothing(request, **parts):
    return HttpResponse()


urlpatterns = [
    *i18n_patterns(
        path("seminars/", nothing, name="seminars"),
        path("seminars/<slug:slug>/", nothing, name="seminar"),
        path("registrations/<token>/", nothing, name="registration"),
        prefix_default_language=False,
    ),
    *site,
]
