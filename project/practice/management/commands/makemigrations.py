"""Django's own, without asking for secrets and routes: it compares models with migrations, and neither serves a page nor sends a letter."""

from django.core.checks import Tags
from django.core.management.commands.makemigrations import Command as DjangoCommand


class Command(DjangoCommand):
    requires_system_checks = (Tags.models,)
