from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SeminarsConfig(AppConfig):
    name = "seminars"
    verbose_name = _("Seminars")

    def ready(self):
        from project.mail import work
        from project.practice import verification as practice_verification

        from . import forgetting, kinds, verification

        kinds.register_all()
        work.register(work.Work("forget-places", "bulk", forgetting.places_due, forgetting.drain))
        practice_verification.register("seats and registrations", verification.findings)
