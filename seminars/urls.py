from django.urls import path

from . import feeds, views

urlpatterns = [
    path("", views.home, name="home"),
    path("seminars/", views.seminar_list, name="seminar-list"),
    path("seminars/calendar.ics", feeds.seminars_calendar, name="seminars-calendar"),
    path("seminars/<slug:slug>/", views.seminar, name="seminar"),
    path("seminars/<slug:slug>/calendar.ics", feeds.seminar_calendar, name="seminar-calendar"),
    path("seminars/<slug:slug>/register/", views.register, name="seminar-register"),
    path("seminars/<slug:slug>/register/thanks/", views.registered, name="seminar-registered"),
    path("registrations/<str:token>/", views.registration, name="registration"),
    path("registrations/<str:token>/cancel/", views.cancel, name="registration-cancel"),
    path("registrations/<str:token>/calendar.ics", feeds.registration_calendar, name="registration-calendar"),
]
