"""The first words of consent and the standard topic.

The words are evidence: a row is never changed. New words are a row with a higher version, from which moment on forms show them.
"""

from django.db import migrations

WORDINGS = {
    "en": (
        "Yes, please send me this practice’s free e-mail newsletter: articles on spine health and news of its seminars. "
        "I can stop it at any time with the link in every e-mail. "
        "I don’t have to agree to this to get information or to come to a seminar."
    ),
    "es": (
        "Sí, deseo recibir por correo electrónico el boletín gratuito de este consultorio: artículos sobre la salud de la columna "
        "y avisos de sus seminarios. Puedo cancelarlo en cualquier momento con el enlace que aparece en cada envío. "
        "No es necesario aceptarlo para recibir información ni para asistir a un seminario."
    ),
}
TOPIC = {
    "en": ("Newsletter", "Articles on spine health, and news of our seminars."),
    "es": ("Boletín", "Artículos sobre la salud de la columna y avisos de nuestros seminarios."),
}


def add(apps, schema_editor):
    wording = apps.get_model("newsletter", "ConsentWording")
    for language, text in WORDINGS.items():
        wording.objects.create(purpose="newsletter", language=language, version=1, text=text)
    topic = apps.get_model("newsletter", "Topic").objects.create(slug="newsletter", standard=True)
    for language, (name, description) in TOPIC.items():
        topic.texts.create(language=language, name=name, description=description)


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
