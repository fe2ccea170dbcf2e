from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SeminarsConfig(AppConfig):
    name = "seminars"
    verbose_name = _("Seminars")

    def ready(self):
        from project.practice import verification as practice_verification

        from . import kinds, verification

        kinds.register_all()
        practice_verification.register("seats and registrations", verification.findings)
