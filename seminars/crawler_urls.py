"""What search engines ask for, once for both languages."""

from django.urls import path

from . import crawlers

urlpatterns = [
    path("sitemap.xml", crawlers.sitemap, name="sitemap"),
    path("robots.txt", crawlers.robots, name="robots"),
]
