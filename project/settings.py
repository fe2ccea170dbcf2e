"""Lectern's settings: one file, in the order of Django's documentation, every choice by environment with a default that runs locally.

What can't work is refused at start by a system check with a hint (project/practice/checks.py, project/mail/checks.py), never found out at night.
"""

import os
from datetime import timedelta
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name, default=""):
    return os.environ.get(name, default)


def env_flag(name):
    return env(name, "0").lower() in {"1", "true", "yes", "on"}


def env_list(name, default=""):
    return [item.strip() for item in env(name, default).split(",") if item.strip()]


# Everything Lectern writes by itself: SQLite, the demo's broker and letters, uploaded packets.
VAR = Path(env("LECTERN_VAR") or BASE_DIR / "var").resolve()
VAR.mkdir(parents=True, exist_ok=True)

# -- Core ------------------------------------------------------------------------------------------------------------------------------

# DEBUG=1 in the environment says: this is a demo or a test on one machine, so sample secrets and letters in a folder will do.
LOCAL = env_flag("DEBUG")
# Django's own debug pages, which show settings and letters to whoever is on the page, are never shown; the log has what they would say.
DEBUG = False
SITE_URL = (env("SITE_URL") or ("http://127.0.0.1:8000" if LOCAL else "")).rstrip("/")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS") or ["127.0.0.1", "localhost", "[::1]"]
# How many proxies of our own stand in front; only then is X-Forwarded-For believed, and only its last entries.
TRUSTED_PROXIES = int(env("TRUSTED_PROXIES") or 0)

INSTALLED_APPS = [
    "seminars",
    "newsletter",
    "project.mail",
    "project.practice",
    "project.practice.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "anymail",
    "axes",
    "csp",
]

MIDDLEWARE = [
    "project.practice.doors.AnyNameForProbes",
    "project.practice.doors.Headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "project.practice.unanswerable.Unanswerable",  # behind the two that know the page's language
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "project.practice.doors.BodyLimit",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "project.practice.clock.DeskClockMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
# How large a request may be: a packet's PDF from the front desk or a provider's report, and from everybody else what fits in memory
# (project/practice/doors.py). The web server in front holds to the same (docs/operations.md).
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
LARGEST_BODY = 25_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

# -- Cache -----------------------------------------------------------------------------------------------------------------------------

CACHE_URL = env("CACHE_URL")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}
        if CACHE_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# -- Database --------------------------------------------------------------------------------------------------------------------------

DATABASES = {
    "default": dj_database_url.parse(env("DATABASE_URL") or f"sqlite:///{VAR / 'lectern.sqlite3'}", conn_max_age=600, conn_health_checks=True)
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets pages be read while a letter is recorded; IMMEDIATE takes the write lock at BEGIN, so that two writers queue instead of
    # failing with "database is locked"; a file, also in tests, because threads can't share an in-memory database.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(VAR / "test.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Mail ------------------------------------------------------------------------------------------------------------------------------

# Which way letters leave, by URL: smtp:// smtps:// anymail+<esp>:// ses:// django-ses:// file:// memory:// (docs/operations.md).
_letters = f"file://{VAR / 'mail'}"
MAIL_TRANSACTIONAL = env("MAIL_TRANSACTIONAL", _letters)
MAIL_BULK = env("MAIL_BULK") or MAIL_TRANSACTIONAL
MAIL_HOLD = env_flag("MAIL_HOLD")
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL") or ("seminars@practice.example.org" if LOCAL else "")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Django's own mail (password reset, error reports) takes the transactional route, without the ledger.
EMAIL_BACKEND = "project.mail.backends.TransactionalBackend"

# One letter's worst case fits in the budget, the budget in the hard limit, the hard limit in the lease: a worker that lives never
# outlasts its lease, so a second one never takes a letter that is still being handed over.
MAIL_SOCKET_TIMEOUT = int(env("MAIL_SOCKET_TIMEOUT", "30"))
MAIL_TASK_BUDGET = int(env("MAIL_TASK_BUDGET", "30"))
MAIL_TASK_LIMIT = int(env("MAIL_TASK_LIMIT", "75"))
MAIL_LEASE = timedelta(seconds=int(env("MAIL_LEASE", "90")))
MAIL_TICK = int(env("MAIL_TICK", "15"))
# How many letters of a campaign one worker hands over between two records, which is how many are in doubt should it die; and how many
# workers may be at it at once. SQLite has one writer, so a second one would only wait.
BULK_WINDOW = int(env("BULK_WINDOW", "48"))
BULK_SLOTS = 1 if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3" else int(env("BULK_SLOTS", "2"))
# How many SMTP connections each worker keeps for campaigns; `?connections=` in a route's URL says it for that route.
BULK_CONNECTIONS = int(env("BULK_CONNECTIONS", "4"))
# A ledger that has stood still for longer is taken for a restored backup and holds all mail until a person says so.
MAIL_STANDSTILL = timedelta(hours=1)
MAIL_WITNESS = VAR / "alive"  # what tells a restored backup from a machine that was switched off (project/mail/ledger.py)

# For django-ses:// only: API v2, no block list of its own (suppressions are ours), no throttle guessed per process.
USE_SES_V2 = True
AWS_SES_USE_BLACKLIST = False
AWS_SES_AUTO_THROTTLE = None

WEBHOOK_SECRET = env("WEBHOOK_SECRET")
# Providers that may report though no route names them: letters leave by their SMTP.
WEBHOOK_PROVIDERS = env_list("WEBHOOK_PROVIDERS")
SNS_TOPIC_ARNS = env_list("SNS_TOPIC_ARNS")
# A provider's own key for its events: ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY, ANYMAIL_MANDRILL_WEBHOOK_KEY … as anymail's documentation names them.
ANYMAIL = {name.removeprefix("ANYMAIL_"): value for name, value in os.environ.items() if name.startswith("ANYMAIL_") and value}
ANYMAIL["WEBHOOK_SECRET"] = env_list("WEBHOOK_SECRET")

# -- Error reporting and logging ---------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"scrub": {"()": "project.practice.logs.Scrub"}, "strangers": {"()": "project.practice.logs.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["scrub"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "django.security.DisallowedHost": {"filters": ["strangers"]},
        "axes": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},  # tells each glyph of each font it cuts down for a PDF
    },
}

# -- Security --------------------------------------------------------------------------------------------------------------------------

DEFAULT_SECRET_KEY = "not-a-secret-only-for-the-demo-and-the-tests-on-one-machine"  # refused with DEBUG=0
SECRET_KEY = env("SECRET_KEY") or DEFAULT_SECRET_KEY
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
DEFAULT_ADDRESS_KEY = "not-a-secret-either-only-for-the-demo-and-the-tests"
# Hashes addresses in the suppression list. Apart from SECRET_KEY because it must outlive that key's rotation.
ADDRESS_KEY = env("ADDRESS_KEY") or DEFAULT_ADDRESS_KEY

_https = SITE_URL.startswith("https://")
if not _https:
    # Plain http is let pass only on this machine (project/practice/checks.py), where Django's advice to turn https on helps nobody.
    SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"]
SECURE_SSL_REDIRECT = _https
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
# RFC 8058 posts and health checks come from machines; the first must not be redirected (§3.1), the second ask over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^(es/)?newsletter/unsubscribe/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
# same-origin, not no-referrer: with the latter browsers post "Origin: null", which the CSRF check refuses.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_NAME = "__Host-csrftoken" if _https else "csrftoken"
SESSION_COOKIE_NAME = "__Host-sessionid" if _https else "sessionid"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "project.practice.views.csrf_failure"
SESSION_COOKIE_AGE = 12 * 60 * 60

# The public forms (project/practice/guard.py): how quick is too quick for a person, how long a page stays good, and how often in an hour from
# one place, in a day for one address or phone number, from one loaded page, and, where seats can run out, in ten minutes from one place. A
# clinic's Wi-Fi is one place: eight parties in ten minutes are more than its waiting room sends, and at four each less than a room holds.
# The demo and the tests press buttons at a machine's pace.
FORM_MIN_SECONDS = float(env("FORM_MIN_SECONDS", "0" if LOCAL else "2"))
FORM_MAX_HOURS = float(env("FORM_MAX_HOURS", "24"))
FORM_PER_HOUR = int(env("FORM_PER_HOUR", "1000" if LOCAL else "60"))
FORM_PER_ADDRESS = int(env("FORM_PER_ADDRESS", "20"))
FORM_PER_PAGE = int(env("FORM_PER_PAGE", "1000" if LOCAL else "10"))
FORM_BURST = int(env("FORM_BURST", "1000" if LOCAL else "8"))

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# -- Internationalization ----------------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# -- Templates, static and uploaded files --------------------------------------------------------------------------------------------------

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "project.practice.context.practice",
            ],
        },
    }
]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "project" / "static"]
STATIC_ROOT = VAR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns of a folder that is not there yet
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # In production named by their content and compressed by `collectstatic`, which `./run manage up` does by itself.
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage" if LOCAL else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = LOCAL
WHITENOISE_AUTOREFRESH = False
MEDIA_ROOT = VAR / "files"  # never served by path: packets are handed out by a view that checks the link

# -- Users -----------------------------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
# Wrong tries within the cool-off after which the door shuts: for one name from one place, and for one place whatever the names. Elsewhere the
# same name goes on signing in. Tries at a shut door are not counted, so that it opens when its page says.
AXES_FAILURE_LIMIT = 8
SIGN_IN_PER_PLACE = 40
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "project.practice.sign_in.Tries"
AXES_CLIENT_IP_CALLABLE = "project.practice.sign_in.address_of"
AXES_USERNAME_CALLABLE = "project.practice.sign_in.name_tried"
AXES_LOCKOUT_CALLABLE = "project.practice.sign_in.shut"
AXES_ENABLE_ACCESS_FAILURE_LOG = False

# -- Celery ----------------------------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env("CELERY_BROKER_URL") or "filesystem://localhost"
CELERY_TASK_DEFAULT_QUEUE = "transactional"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # the sweep is the redelivery
CELERY_TASK_TIME_LIMIT = MAIL_TASK_LIMIT
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_MAX_TASKS_PER_CHILD = 2_000
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# AMQP only: how often a worker and RabbitMQ give each other a sign of life; a connection on which two stayed out is opened anew. Below
# five seconds a busy machine would pass for a dead one.
CELERY_BROKER_HEARTBEAT = max(5, MAIL_TICK)
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "tick": {
        "task": "mail.tick",
        "schedule": MAIL_TICK,
        "options": {
            "queue": "transactional",
            "expires": MAIL_TICK,  # a tick that waited longer than the next one is of no use
            # Beat keeps one connection, and opens it anew only while it retries: without, a restarted RabbitMQ would never hear it again.
            "retry": True,
            "retry_policy": {"max_retries": 1},
        },
    }
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat")
if CELERY_BROKER_URL.startswith("filesystem"):
    _bells = VAR / "bells"
    (_bells / "in").mkdir(parents=True, exist_ok=True)
    (_bells / "control").mkdir(exist_ok=True)
    CELERY_BROKER_TRANSPORT = "project.mail.bell_files:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_bells / "in"),
        "data_folder_out": str(_bells / "in"),
        "control_folder": str(_bells / "control"),
        "polling_interval": 0.1,
        "max_retries": 0,
    }
else:
    # A broker that is down or accepts and never answers may cost a page two seconds once, never more (project/mail/bells.py).
    CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0}
    CELERY_BROKER_CONNECTION_TIMEOUT = 2
    if CELERY_BROKER_URL.startswith("redis"):
        CELERY_BROKER_TRANSPORT_OPTIONS |= {"socket_timeout": 2, "socket_connect_timeout": 2, "socket_keepalive": True}
        # kombu writes each bell it has heard into Redis and strikes it out again. Where that fails, the worker keeps waiting for its own
        # answer: after as many failures as it has processes it never hears a bell again. We don't need it: the sweep rings again.
        CELERY_BROKER_TRANSPORT_OPTIONS["ack_emulation"] = False
    elif CELERY_BROKER_URL.startswith("amqp"):
        # Without, a RabbitMQ short of memory or disk lets whoever declares a queue wait until it has some again.
        CELERY_BROKER_TRANSPORT_OPTIONS["on_open"] = lambda link: link.transport.sock.settimeout(2)
