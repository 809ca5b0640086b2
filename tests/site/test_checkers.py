"""The checkers themselves: a page with a fault must not pass any of them."""

import pytest
from playwright.sync_api import Page

from harness.site.checkers import Checkers
from tests.site.axe import violations

FAULTY = """<!DOCTYPE html>
<html><head><title>Page</title></head>
<body><main><h1>Page</h1><img src="data:,"><button></button>
<p style="color: #aaa; background: #fff">Clair</p></main></body>
</html>
"""
SOUND = """<!DOCTYPE html>
<html lang="fr">
<head>
  <title>Page</title>
</head>
<body>
  <main>
    <h1>Page</h1>
  </main>
</body>
</html>
"""


@pytest.mark.req("U10")
def test_every_checker_finds_the_faults_of_a_faulty_page(page: Page, checkers: Checkers) -> None:
    page.set_content(FAULTY)
    assert {fault.split(":")[0] for fault in violations(page)} >= {
        "html-has-lang",
        "image-alt",
        "button-name",
        "color-contrast",
    }
    pa11y = " ".join(checkers.pa11y(page))
    assert "H57.2" in pa11y
    assert "H91.Button.Name" in pa11y
    assert "G18.Fail" in pa11y
    for rendered in (False, True):
        markup = page.content() if rendered else FAULTY
        html = " ".join(checkers.html(markup, rendered=rendered))
        assert "element-required-attributes" in html
        assert "text-content" in html


@pytest.mark.req("U10")
def test_every_checker_passes_a_sound_page(page: Page, checkers: Checkers) -> None:
    page.set_content(SOUND)
    assert violations(page) == []
    assert checkers.pa11y(page) == []
    assert checkers.html(SOUND) == []
    assert checkers.html(page.content(), rendered=True) == []
