"""Lists and figures of tables that grow without end: counted up to a number, and beyond it they say so instead of counting on."""

from dataclasses import dataclass
from functools import cached_property

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.utils.formats import number_format
from django.utils.translation import gettext as _

#: How many rows a list counts, and lets one turn the pages of.
MOST = 10_000


@dataclass(frozen=True)
class Count:
    """`number` rows; `more`: there are more than that, and nobody has counted how many."""

    number: int
    more: bool = False

    @classmethod
    def capped(cls, found, most):
        return cls(min(found, most), found > most)

    def __str__(self):
        number = number_format(self.number, force_grouping=True)
        return _("more than %(number)s") % {"number": number} if self.more else number


def count_up_to(queryset, most):
    """The Count of a queryset's rows, none of which is read beyond `most` and one."""
    return Count.capped(queryset.order_by()[: most + 1].count(), most)


class LongPaginator(Paginator):
    """The pages of the first MOST rows. `counted` tells whether there are more."""

    @cached_property
    def found(self):
        """The primary keys of MOST rows and one more, in no order."""
        return list(self.object_list.order_by().values_list("pk", flat=True)[: MOST + 1])

    @cached_property
    def counted(self):
        return Count.capped(len(self.found), MOST)

    @cached_property
    def count(self):
        return self.counted.number


class LongChangeList(ChangeList):
    def get_results(self, request):
        super().get_results(request)
        if not self.multi_page:
            # Few among a million may take long to find: what has found them once is not asked for them again.
            self.result_list = self.result_list.filter(pk__in=self.paginator.found)


class LongList:
    """A ModelAdmin whose list stays quick with a million rows. What is done to “all” of them never means more than the page says there are."""

    paginator = LongPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_changelist(self, request, **kwargs):
        return LongChangeList

    def response_action(self, request, queryset):
        if request.POST.get("select_across") == "1" and count_up_to(queryset, MOST).more:
            text = _("That is for at most %(most)s at once. Please search or choose a filter first.")
            self.message_user(request, text % {"most": Count(MOST)}, messages.WARNING)
            return None
        return super().response_action(request, queryset)
