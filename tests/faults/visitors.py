"""A web process for tests: it registers somebody for each line of JSON it reads, and answers `{"status": 302, "seconds": 0.05}`.

The line is `{"path": "/seminars/<slug>/register/", "email": "ana@example.org"}`. Between the lines it keeps its connections, as a web server.
"""

import json
import sys
import time

import django

django.setup()

from django.test import Client  # noqa: E402

PERSON = {"first_name": "Ana", "last_name": "Gil", "party_size": "2", "language": "en"}


def register(path, email):
    began = time.monotonic()
    answer = Client(raise_request_exception=False).post(path, PERSON | {"email": email})
    return {"status": answer.status_code, "seconds": time.monotonic() - began}


def main():
    for line in sys.stdin:
        sys.stdout.write(json.dumps(register(**json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
