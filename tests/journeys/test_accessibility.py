"""axe finds nothing at WCAG 2.2 AA on the pages people meet, in both languages, on the narrowest phone; and nothing reaches for a stranger."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import follow

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
PUBLIC = ["/", "/seminars/", "/seminars/?zip=nonsense", "/seminars/tampa-sabado/", "/seminars/tampa-sabado/register/"]
PUBLIC += ["/seminars/atlanta-library/register/", "/info-packet/", "/newsletter/subscribe/", "/no-such-page/"]
DESK = [
    "/admin/",
    "/admin/seminars/seminar/add/",
    "/admin/newsletter/campaign/add/",
    "/admin/mail/route/",
    "/admin/mail/route/bulk/limits/",
    "/admin/seminars/callback/",
]


@pytest.fixture
def open_page(browser, site):
    """A narrow page with JavaScript, which axe needs; console errors and strangers fail the test."""
    context = browser.new_context(viewport={"width": 320, "height": 800}, base_url=site.url)
    page, complaints = context.new_page(), []
    page.axe_is_at_it = False
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" and not page.axe_is_at_it else None)
    page.on("request", lambda request: None if request.url.startswith((site.url, "data:")) else complaints.append(request.url))
    yield page
    context.close()
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []


def findings(page):
    page.axe_is_at_it = True  # it tries inline styles of its own, which our policy forbids
    found = Axe().run(page, options=RULES).response["violations"]
    page.axe_is_at_it = False
    return [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found]


@pytest.mark.parametrize("prefix", ["", "/es"])
def test_public_pages(open_page, prefix):
    for path in PUBLIC:
        open_page.goto(prefix + path)
        assert findings(open_page) == [], path
        assert open_page.evaluate("document.documentElement.scrollWidth") <= 320, path


@pytest.mark.parametrize("prefix", ["", "/es"])
def test_a_form_with_mistakes(open_page, prefix):
    open_page.goto(f"{prefix}/seminars/tampa-sabado/register/")
    open_page.fill("[name=email]", "not an address")
    follow(open_page.locator("main form button[type=submit]"))

    assert open_page.locator(".errorlist, .field-error").count() >= 1
    assert open_page.locator("[name=email]").input_value() == "not an address"
    assert findings(open_page) == []


def test_the_front_desk(open_page):
    open_page.set_viewport_size({"width": 390, "height": 800})
    open_page.goto("/admin/login/?next=/admin/")
    assert findings(open_page) == []
    open_page.fill("[name=username]", "front-desk")
    open_page.fill("[name=password]", "demo")
    follow(open_page.locator("[type=submit]"))
    for path in DESK:
        open_page.goto(path)
        assert findings(open_page) == [], path
