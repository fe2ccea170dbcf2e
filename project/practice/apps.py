from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class PracticeConfig(AppConfig):
    name = "project.practice"
    label = "practice"
    verbose_name = _("The practice")

    def ready(self):
        from . import checks, first_day  # noqa: F401  both register by being imported

        first_day.register_own()


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin with Lectern's own site: it opens on Today."""

    default = False
    default_site = "project.practice.admin_site.LecternAdminSite"
