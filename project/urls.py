"""Every address of the site. English stands bare, Spanish under /es/."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("project.practice.urls")),
    path("webhooks/", include("project.mail.urls")),
    path("", include("seminars.crawler_urls")),
    *i18n_patterns(
        path("", include("seminars.urls")),
        path("", include("newsletter.urls")),
        path("admin/", admin.site.urls),
        prefix_default_language=False,
    ),
]
if settings.LOCAL:  # the demo's mailbox
    urlpatterns.append(path("demo/letters/", include("project.mail.demo_letters")))
handler400 = "project.practice.views.bad_request"
handler403 = "project.practice.views.permission_denied"
handler404 = "project.practice.views.page_not_found"
handler500 = "project.practice.views.server_error"
