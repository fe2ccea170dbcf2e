from django.urls import path

from . import views

urlpatterns = [
    path("info-packet/", views.info_packet, name="info-packet"),
    path("info-packet/asked/", views.asked, name="info-packet-asked"),
    path("info-packet/<str:token>/", views.confirm, name="info-packet-open"),
    path("info-packet/<str:token>/packet.pdf", views.packet_file, name="info-packet-file"),
    path("newsletter/subscribe/", views.subscribe, name="newsletter-subscribe"),
    path("newsletter/subscribe/asked/", views.asked, name="newsletter-asked"),
    path("newsletter/confirm/<str:token>/", views.confirm, name="newsletter-confirm"),
    path("newsletter/preferences/<str:token>/", views.preferences, name="newsletter-preferences"),
    path("newsletter/unsubscribe/<str:token>/", views.unsubscribe, name="newsletter-unsubscribe"),
]
