"""What an operator copies out of docs/operations.md, read from there: an example that drifts from what works fails its test."""

from pathlib import Path

_OPERATIONS = Path(__file__).resolve().parents[1].joinpath("docs/operations.md").read_text()


def example(place):
    """The text of the first fenced block after the sentence that says where it goes, such as `/etc/caddy/Caddyfile`."""
    after = _OPERATIONS.partition(f"`{place}`")[2]
    return after.split("```", 2)[1].partition("\n")[2]


def production():
    """The settings of the documented `/etc/lectern.env`, the two keys filled in as it says."""
    lines = [line for line in example("/etc/lectern.env").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines) | {
        "SECRET_KEY": "cXk0V7-only-for-these-tests-4Yx9_pQmZ2rT8wL5nJ3hB6dF1gKvS",
        "ADDRESS_KEY": "another-one-only-for-these-tests-7Hq2Wn8Ez5Rt1Yb4Vc9Xm6",
    }
