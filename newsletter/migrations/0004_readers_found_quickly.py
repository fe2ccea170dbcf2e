"""What the front desk looks for among a million readers, and the indexes it is found by.

The names of those who are there already are folded here, before any index of them is made. A million rows take PostgreSQL much longer to
update than to write anew, so it writes the table anew.
"""

import django.db.models.functions.text
import project.practice.folding
from django.db import migrations, models

from project.practice.folding import fold

_FOLDED = 100
_ACCENTED = "áéíóúüñÁÉÍÓÚÜÑ"

_MOST = """
    ALTER TABLE newsletter_subscriber
    ALTER folded_first TYPE varchar(100) USING translate(lower(first_name), %(accented)s, %(bare)s),
    ALTER folded_last TYPE varchar(100) USING translate(lower(last_name), %(accented)s, %(bare)s)"""
_OTHERS = "SELECT DISTINCT {name} FROM newsletter_subscriber WHERE {folded} ~ '[^ -~]|^ |  | $'"
_OTHER = """
    UPDATE newsletter_subscriber SET {folded} = other.folded
    FROM unnest(%s::text[], %s::text[]) AS other (name, folded) WHERE {name} = other.name"""


def fold_names(apps, schema_editor):
    fold_here = {"postgresql": _by_postgresql, "sqlite": _by_sqlite}
    with schema_editor.connection.cursor() as cursor:
        fold_here[schema_editor.connection.vendor](cursor)


def _by_postgresql(cursor):
    """Spanish and English names by the database; of the others, each name once by us."""
    cursor.execute(_MOST, {"accented": _ACCENTED, "bare": fold(_ACCENTED)})
    for name, folded in (("first_name", "folded_first"), ("last_name", "folded_last")):
        cursor.execute(_OTHERS.format(name=name, folded=folded))
        others = [other for (other,) in cursor]
        cursor.execute(_OTHER.format(name=name, folded=folded), [others, [_folded(other) for other in others]])


def _by_sqlite(cursor):
    cursor.connection.create_function("folded", 1, _folded, deterministic=True)
    cursor.execute("UPDATE newsletter_subscriber SET folded_first = folded(first_name), folded_last = folded(last_name)")


def _folded(name):
    return fold(name)[:_FOLDED]


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
            model_name='packetrequest',
            index=models.Index(condition=models.Q(('confirmed_at', None)), fields=['requested_at'], name='packet_request_waiting'),
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
