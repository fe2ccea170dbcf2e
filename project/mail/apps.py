from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailConfig(AppConfig):
    name = "project.mail"
    label = "mail"
    verbose_name = _("Mail")

    def ready(self):
        from . import checks, registration  # noqa: F401  checks register by being imported

        registration.register_all()
