"""Buttons on a row's own page that lead on from it. What was typed is saved first, so that nothing is lost on the way.

They stand in the form's own row of buttons, behind “Save”: the first one is what Enter in a field presses.
"""

from django.contrib.admin.options import IS_POPUP_VAR


class SaveFirst:
    """For a ModelAdmin whose page has such buttons. With a mistake in the form nothing is saved, and what the button is for is not done.

    The ModelAdmin itself has `acts`, the names of all its buttons whatever the row's state (a page may be older than what happened meanwhile);
    `offered(request, obj)`: `{name: label}` of those this person sees, `obj` being None while it is added; and `follow(request, obj, act)`: the
    response to a button once what was typed is saved, which asks for itself whether this person may and whether it can be done.
    """

    save_on_top = True

    def render_change_form(self, request, context, *args, obj=None, **kwargs):
        context |= {"acts": self.offered(request, obj), "show_save_and_add_another": False}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def log_change(self, request, obj, message):
        """A press of such a button that saved nothing leaves no line; what it leads to leaves its own."""
        if message == [] and self._pressed(request):
            return None
        return super().log_change(request, obj, message)

    def response_add(self, request, obj, post_url_continue=None):
        act = self._pressed(request)
        return self.follow(request, obj, act) if act else super().response_add(request, obj, post_url_continue)

    def response_change(self, request, obj):
        act = self._pressed(request)
        return self.follow(request, obj, act) if act else super().response_change(request, obj)

    def _pressed(self, request):
        if IS_POPUP_VAR in request.POST:
            return None
        return next((act for act in self.acts if f"_{act}" in request.POST), None)
