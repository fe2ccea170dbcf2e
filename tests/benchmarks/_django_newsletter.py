"""django-newsletter on the same list, for comparison: installed into a folder that is thrown away, never among what the project needs.

As a script, with that folder on PYTHONPATH: `_django_newsletter.py LETTERS PORT DATABASE BODY` prints letters a second and processor seconds
per 1,000. One process, as its command works; a connection per letter, as it does.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGE = "django-newsletter==1.2.1"


def installed(stack):
    """The folder it is in, for as long as `stack` (an ExitStack) lives; None when pip can't have it."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lectern-django-newsletter-"))
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--target", folder]
    try:
        subprocess.run([*command, PACKAGE, "chardet", "sorl-thumbnail", "Pillow"], check=True, capture_output=True, timeout=180)
    except (OSError, subprocess.SubprocessError):
        return None
    return folder


def measured(folder, letters, port, database, body):
    """`(letters a second, processor seconds per 1,000)`."""
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"} | {"PYTHONPATH": folder}
    command = [sys.executable, str(Path(__file__).resolve()), str(letters), str(port), str(database), str(body)]
    result = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=600)
    if result.returncode:
        raise RuntimeError(result.stderr[-2000:])
    return tuple(map(float, result.stdout.split()[-2:]))


def _configure(port, database):
    from django.conf import settings  # noqa: PLC0415  of this process alone, not the project's

    settings.configure(
        SECRET_KEY="bench",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.messages", "django.contrib.admin",
            "django.contrib.sessions", "django.contrib.sites", "sorl.thumbnail", "newsletter",
        ],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        SITE_ID=1,
        USE_TZ=True,
        ROOT_URLCONF="newsletter.urls",
        NEWSLETTER_THUMBNAIL="sorl-thumbnail",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        SILENCED_SYSTEM_CHECKS=["admin.E403", "admin.E404", "admin.E408", "admin.E409", "admin.E410"],
    )  # fmt: skip


def _send(letters, body):
    from django.contrib.sites.models import Site  # noqa: PLC0415  as above
    from django.core.management import call_command  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from newsletter.models import Article, Message, Newsletter, Submission, Subscription  # noqa: PLC0415

    call_command("migrate", verbosity=0, run_syncdb=True)
    letter = Newsletter.objects.create(title="News", slug="news", email="news@example.org", sender="Practice", send_html=True)
    letter.site.set(Site.objects.all())
    message = Message.objects.create(title="News", slug="news", newsletter=letter)
    Article.objects.create(title="News", text=body, post=message, sortorder=10)
    Subscription.objects.bulk_create(
        Subscription(newsletter=letter, name_field=f"José Ángel Muñoz {n}", email_field=f"reader{n}@example.org", subscribed=True)
        for n in range(letters)
    )
    submission = Submission.objects.create(newsletter=letter, message=message, prepared=True, publish_date=timezone.now())
    submission.subscriptions.set(Subscription.objects.all())
    began, used = time.perf_counter(), time.process_time()
    submission.submit()
    seconds, used = time.perf_counter() - began, time.process_time() - used
    print(letters / seconds, used / letters * 1000)


if __name__ == "__main__":
    import django

    _configure(int(sys.argv[2]), sys.argv[3])
    django.setup()
    _send(int(sys.argv[1]), Path(sys.argv[4]).read_text())
