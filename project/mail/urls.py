from django.urls import path

from . import webhooks

urlpatterns = [
    path("ses/", webhooks.ses, name="webhook-ses"),
    path("<slug:name>/", webhooks.provider, name="webhook"),
]
