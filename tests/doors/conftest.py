"""The site as it stands on the net: gunicorn as `up` starts it, with the documented settings, behind the documented web server."""

import contextlib
import datetime
import getpass
import http.client
import re
import ssl
import subprocess
import urllib.request
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from project.practice.management.commands import up
from tests import documentation
from tests.processes import ROOT, SERVERS, environment, eventually, free_port, manage

#: Of the one person who may sign in, `desk`.
PASSWORD = "a long enough sentence"


class Site:
    """One site on this machine: where visitors reach it (`port`, by https) and where gunicorn listens (`inside`)."""

    def __init__(self, folder):
        self.folder = folder
        self.port, self.inside = free_port(), free_port()
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        here = {"SITE_URL": f"https://localhost:{self.port}", "ALLOWED_HOSTS": "localhost", "LECTERN_VAR": str(folder / "var")}
        self.env = environment(folder, **documentation.production() | here | {"TMPDIR": str(self.temporary)})

    def get(self, path="/", timeout=10):
        """What a visitor gets, as text."""
        url = f"https://localhost:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=timeout, context=anybodys_certificate()) as answer:
            return answer.read().decode()

    def sign_in(self, password, *, source, claims=""):
        """The status of a try to sign in that comes from `source`, an address of this machine, and claims to come from elsewhere."""
        come_from = {"source_address": (source, 0), "context": anybodys_certificate(), "timeout": 60}
        with contextlib.closing(http.client.HTTPSConnection("localhost", self.port, **come_from)) as visitor:
            visitor.request("GET", "/admin/login/")
            page = visitor.getresponse()
            cookie = page.headers["Set-Cookie"].partition(";")[0]
            hidden = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.read().decode())[1]
            form = urlencode({"username": "desk", "password": password, "csrfmiddlewaretoken": hidden})
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, "X-Forwarded-For": claims}
            visitor.request("POST", "/admin/login/", form, headers | {"Referer": f"https://localhost:{self.port}/admin/login/"})
            return visitor.getresponse().status

    def is_open(self):
        try:
            return self.get("/health/live") == "ok\n"
        except OSError:
            return False

    def spooled(self):
        """How many bytes lie in the temporary folder."""
        return sum(file.stat().st_size for file in self.temporary.rglob("*") if file.is_file())


def anybodys_certificate():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    password = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    for words in ("migrate -v 0", "collectstatic --noinput -v 0", "createsuperuser --noinput --username desk --email desk@example.org"):
        ended = manage(*words.split(), env=site.env | password)
        assert ended.returncode == 0, ended.stdout
    command = up.parts(f"127.0.0.1:{site.inside}")[0].command
    with running(command, site.folder / "gunicorn.log", env=site.env, cwd=ROOT):
        eventually(lambda: up.answers(f"127.0.0.1:{site.inside}"), 60)
        yield site


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """`(certificate, key)`: two files for localhost, signed by nobody."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    draft = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    draft = draft.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    signed = draft.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    (folder / "fullchain.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    (folder / "privkey.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password))
    return folder / "fullchain.pem", folder / "privkey.pem"


@pytest.fixture
def caddy(site, certificate, tmp_path):
    """`caddy(text)`: Caddy with that Caddyfile, the address and the certificate replaced by ones that exist here."""
    with contextlib.ExitStack() as stack:

        def caddy(text):
            file, key = certificate
            text = text.replace("seminars.example.org {", f"https://localhost:{site.port} {{\n    tls {file} {key}")
            text = text.replace("127.0.0.1:8000", f"127.0.0.1:{site.inside}")
            # Nothing beside the one port: no other Caddy of this machine is met, and port 80 is left alone.
            alone = "{\n    admin off\n    auto_https disable_redirects\n    default_bind 127.0.0.1\n"
            text = alone + text.removeprefix("{\n") if text.startswith("{") else alone + "}\n" + text
            (tmp_path / "Caddyfile").write_text(text)
            stack.enter_context(web_server(site, ["caddy", "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")], tmp_path))

        yield caddy


@pytest.fixture
def nginx(site, certificate, tmp_path):
    """`nginx(text)`: nginx with that site, the address and the certificate replaced by ones that exist here."""
    with contextlib.ExitStack() as stack:

        def nginx(text):
            text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};").replace("listen 443", f"listen 127.0.0.1:{site.port}")
            text = text.replace("/etc/letsencrypt/live/seminars.example.org", str(certificate[0].parent))
            text = text.replace("seminars.example.org", "localhost").replace("127.0.0.1:8000", f"127.0.0.1:{site.inside}")
            folders = "".join(f"{name}_temp_path {tmp_path}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            whole = f"user {getpass.getuser()};\ndaemon off;\npid {tmp_path}/pid;\nevents {{}}\n"
            whole += f"http {{\naccess_log off;\n{folders}{text}}}\n"
            (tmp_path / "nginx.conf").write_text(whole)
            stack.enter_context(web_server(site, ["nginx", "-e", "stderr", "-c", str(tmp_path / "nginx.conf")], tmp_path))

        yield nginx


@contextlib.contextmanager
def web_server(site, command, folder):
    """That web server, through which the site is reached while the block lasts."""
    env = {"PATH": SERVERS, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    log = folder / "web-server.log"
    with running(command, log, env=env) as process:
        eventually(lambda: process.poll() is not None or site.is_open(), 30)
        assert process.poll() is None, log.read_text()
        yield


@contextlib.contextmanager
def running(command, log, **options):
    """A process that writes to that file, and is asked to stop, and waited for, when the block is left."""
    with log.open("w") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
