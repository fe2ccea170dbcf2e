"""The admin site. It opens on Today; each app shows its part there by one inclusion tag (templates/admin/index.html)."""

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _

from . import first_day


class LecternAdminSite(AdminSite):
    site_title = _("Front desk")
    site_header = _("Front desk")
    index_title = _("Today")
    enable_nav_sidebar = True

    def index(self, request, extra_context=None):
        return super().index(request, {"first_day": first_day.open_steps(request.user), **(extra_context or {})})
