from django.db import migrations


def make_it(apps, schema_editor):
    apps.get_model("practice", "Practice").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    """The one row there ever is."""

    dependencies = [("practice", "0001_initial")]

    operations = [migrations.RunPython(make_it, migrations.RunPython.noop)]
