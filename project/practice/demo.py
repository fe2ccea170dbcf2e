"""The made-up practice of the demo: its facts, its words in both languages, and who may sign in."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from .models import Practice

#: For the demo on one machine only; `seed_demo` refuses to run outside DEBUG.
USER, PASSWORD = "demo", "demo"
COORDINATOR = "front-desk"
GROUP = "Coordinator"

FACTS = {
    "name": "Harborlight Spine",
    "phone": "+18135550100",
    "street": "2210 Sample Pier Avenue",
    "city": "Tampa",
    "state": "FL",
    "postal_code": "33602",
    "zone": "America/New_York",
    "organizer_mailbox": "seminars@practice.example.org",
    "reply_mailbox": "hello@practice.example.org",
}

TEXTS = {
    "en": {
        "tagline": "Clear answers for backs and necks that hurt.",
        "hours": "Monday to Friday, 8 a.m. to 5 p.m. At other times, our answering service takes your call.",
        "about": (
            "We are spine surgeons, physical therapists, and nurses who believe that a good decision starts with a good explanation. "
            "Most people who come to us never need an operation, and we are glad to tell them so.\n\n"
            "At our complimentary seminars a physician explains, in plain words, where back and neck pain comes from and what can be done about it. "
            "You ask what you want to know, in English or in Spanish. You don’t need a referral, and nobody will ask you to decide anything. "
            "Bring someone you love. Two people hear more than one."
        ),
    },
    "es": {
        "tagline": "Respuestas claras para quien vive con dolor de espalda o de cuello.",
        "hours": "De lunes a viernes, de 8 a.m. a 5 p.m. A otras horas, un servicio de mensajes atiende su llamada.",
        "about": (
            "Somos cirujanos de columna, terapeutas físicos y enfermeras, y creemos que una buena decisión empieza con una buena explicación. "
            "La mayoría de quienes nos visitan nunca necesitan una operación, y nos da gusto decírselo.\n\n"
            "En nuestros seminarios gratuitos, un médico explica con palabras sencillas de dónde viene el dolor de espalda y de cuello "
            "y qué se puede hacer. Usted pregunta lo que quiera saber, en español o en inglés. No hace falta que lo refiera otro médico, "
            "y nadie le pedirá que decida nada. Venga con un ser querido: entre dos se escucha mejor."
        ),
    },
}


def seed():
    """Fill in the practice's facts and words where nobody has yet, and make the two logins. Again: nothing happens."""
    practice = Practice.current()
    if not practice.phone:
        Practice.objects.filter(pk=practice.pk).update(**FACTS)
    for language, words in TEXTS.items():
        practice.texts.get_or_create(language=language, defaults=words)
    ensure_logins()
    return Practice.current()


def ensure_logins():
    """An administrator and a coordinator, made once; a password changed since stays."""
    users = get_user_model().objects
    if not users.filter(username=USER).exists():
        users.create_superuser(USER, "demo@practice.example.org", PASSWORD)
    if not users.filter(username=COORDINATOR).exists():
        coordinator = users.create_user(COORDINATOR, "front-desk@practice.example.org", PASSWORD, is_staff=True)
        coordinator.groups.add(Group.objects.get_or_create(name=GROUP)[0])
