from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NewsletterConfig(AppConfig):
    name = "newsletter"
    verbose_name = _("Newsletter")

    def ready(self):
        from project.practice import verification

        from . import campaign_work, consent, kinds

        kinds.register_all()
        verification.register("consents", consent.check)
        campaign_work.register_all()
