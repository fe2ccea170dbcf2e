"""What the front desk looks for among a million readers, and the indexes it is found by.

The names of those who are there already are folded here: most in one statement by the database, and those with letters that Spanish and
English don't have one by one.
"""

import itertools

import django.db.models.functions.text
import project.practice.folding
from django.db import migrations, models
from django.db.models.functions import Lower, Replace

from project.practice.folding import fold

_FOLDED = 100
_AT_A_TIME = 100  # a statement grows with its square
_ACCENTED = "áéíóúüñÁÉÍÓÚÜÑ"


def fold_names(apps, schema_editor):
    subscribers = apps.get_model("newsletter", "Subscriber").objects
    subscribers.update(folded_first=_folded("first_name"), folded_last=_folded("last_name"))
    others = subscribers.filter(models.Q(folded_first__regex=r"[^ -~]") | models.Q(folded_last__regex=r"[^ -~]"))
    rows = others.only("first_name", "last_name").iterator()
    while batch := list(itertools.islice(rows, _AT_A_TIME)):
        for person in batch:
            person.folded_first, person.folded_last = fold(person.first_name)[:_FOLDED], fold(person.last_name)[:_FOLDED]
        subscribers.bulk_update(batch, ["folded_first", "folded_last"])


def _folded(name):
    expression = Lower(name)
    for letter in _ACCENTED:
        expression = Replace(expression, models.Value(letter), models.Value(fold(letter)))
    return expression


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0003_room_for_records'),
    ]

    operations = [
        migrations.AddField(
            model_name='subscriber',
            name='folded_address',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Lower('address'), output_field=models.CharField(max_length=254)),
        ),
        migrations.AddField(
            model_name='subscriber',
            name='folded_first',
            field=project.practice.folding.FoldedField(db_default='', editable=False, max_length=100, of='first_name'),
        ),
        migrations.AddField(
            model_name='subscriber',
            name='folded_last',
            field=project.practice.folding.FoldedField(db_default='', db_index=True, editable=False, max_length=100, of='last_name'),
        ),
        migrations.RunPython(fold_names, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['method', 'id'], name='consent_by_method'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['at'], name='consent_at'),
        ),
        migrations.AddIndex(
            model_name='subscriber',
            index=models.Index(fields=['language', 'id'], name='subscriber_by_language'),
        ),
        migrations.AddIndex(
            model_name='subscriber',
            index=models.Index(fields=['folded_first'], name='subscriber_first_name', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='subscriber',
            index=models.Index(fields=['folded_address'], name='subscriber_address', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='subscription',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['started_at'], name='subscription_lately'),
        ),
    ]
