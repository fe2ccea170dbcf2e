import os

from django.core.wsgi import get_wsgi_application

from .start import check_or_exit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
application = get_wsgi_application()
check_or_exit()
