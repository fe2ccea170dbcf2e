"""A pytest plugin read before Django's settings: the environment every test runs in.

A folder of its own, letters in memory, a broker that reaches nobody. `./run test` sets DATABASE_URL and CELERY_BROKER_URL for its second pass.
"""

import atexit
import os
import shutil
import tempfile

if "LECTERN_VAR" not in os.environ:
    os.environ["LECTERN_VAR"] = folder = tempfile.mkdtemp(prefix="lectern-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.environ["DEBUG"] = "1"
os.environ.setdefault("SITE_URL", "http://testserver")
os.environ["ALLOWED_HOSTS"] = "testserver,localhost,127.0.0.1"
os.environ["MAIL_TRANSACTIONAL"] = "memory://"
os.environ["MAIL_BULK"] = "memory://"
os.environ.setdefault("CELERY_BROKER_URL", "memory://")
# A test's page may ask the database from Playwright's own event loop.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
