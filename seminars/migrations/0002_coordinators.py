"""The group that front-desk staff belong to. It stands in the topmost app, which may name what all the others allow.

What a coordinator may do is listed here and nowhere else; a superuser can change it under Groups, and later migrations add to it.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUP = "Coordinator"

VIEW, WRITE, TEXT = ("view",), ("view", "add", "change"), ("view", "add", "change", "delete")
MAY = {
    "seminars": {
        **dict.fromkeys(("venue", "speaker", "seminar", "seatpool", "registration", "callback"), WRITE),
        **dict.fromkeys(("venuetext", "speakertext", "seminartext"), TEXT),
    },
    "newsletter": {
        **dict.fromkeys(("subscriber", "subscription", "topic", "infopacket"), WRITE),
        **dict.fromkeys(("topictext", "infopackettext", "campaigntext"), TEXT),
        "campaign": (*WRITE, "send"),
        # Evidence and the sending's own books are read and never written by hand; so are the words people agree to.
        **dict.fromkeys(("consent", "consentwording", "packetrequest", "chunk", "delivery"), VIEW),
    },
    # “Change” is to send a letter again, to test or resume a route, to lift a suppression with a reason, to release a hold: never to edit.
    "mail": {"message": ("view", "change"), "route": ("view", "change"), "suppression": WRITE, "event": VIEW, "ledger": ("change",)},
    "practice": {"practice": ("view", "change"), "practicetext": TEXT},
}


def make_group(apps, schema_editor):
    Permission = apps.get_model("auth", "Permission")
    group, _new = apps.get_model("auth", "Group").objects.get_or_create(name=GROUP)
    for label, models in MAY.items():
        # Django makes permissions only after the last migration, and they are needed here.
        create_permissions(installed.get_app_config(label), apps=apps, verbosity=0)
        names = [f"{verb}_{model}" for model, verbs in models.items() for verb in verbs]
        found = Permission.objects.filter(content_type__app_label=label, codename__in=names)
        missing = set(names) - set(found.values_list("codename", flat=True))
        if missing:
            raise LookupError(f"{label} has no permission {', '.join(sorted(missing))}")
        group.permissions.add(*found)


class Migration(migrations.Migration):
    dependencies = [
        ("seminars", "0001_initial"),
        ("newsletter", "0001_initial"),
        ("mail", "0001_initial"),
        ("practice", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_group, migrations.RunPython.noop)]
