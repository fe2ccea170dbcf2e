"""The addresses letters link to, for tests of letters alone."""

from django.http import HttpResponse
from django.urls import path

from project.urls import urlpatterns as site


def nothing(request, **parts):
    return HttpResponse()


urlpatterns = [
    path("seminars/", nothing, name="seminars"),
    path("seminars/<slug:slug>/", nothing, name="seminar"),
    path("registrations/<token>/", nothing, name="registration"),
    *site,
]
