"""The front desk's forms as a browser sends them."""


def as_shown(desk, path, **changes):
    """What the form at `path` posts when nothing but `changes` is typed into it."""
    shown = desk.get(path).context
    forms = [shown["adminform"].form]
    for inline in shown["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    fields = [field for form in forms for field in form]
    values = {field.html_name: field.value() for field in fields if not field.field.disabled}
    return {name: "" if value is None else value for name, value in values.items()} | changes
