"""The checkers themselves: a page with a fault must not pass any of them."""

import pytest
from playwright.sync_api import Page

from harness.site.checkers import Checkers
from tests.site.axe import violations, violations_in_both_schemes

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


@pytest.mark.req("U10")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "style",
    [
        "p { color: rgb(128 128 128 / 50%) }",
        "main { background: #888 }",
        "main { opacity: 0.3 }",
        "a { text-decoration: none; color: #222 }",
    ],
)
def test_contrast_is_measured_again_where_a_page_has_another_look(page: Page, style: str, scheme: str) -> None:
    colours = (
        "body { background: #fff; color: #000 } a { color: #00c }"
        "@media (prefers-color-scheme: dark) { body { background: #000; color: #fff } a { color: #9cf } }"
    )
    text = "</h1>\n    <p>Un texte, <a href='/'>un lien</a> et encore un texte.</p>"
    sound = SOUND.replace("</h1>", text).replace("</head>", f"<style>{colours}</style></head>")
    faulty = sound.replace("</style>", f"@media (prefers-color-scheme: {scheme}) {{ {style} }}</style>")
    page.set_content(sound)
    assert violations_in_both_schemes(page) == []
    for _ in range(2):
        page.set_content(faulty)
        assert len(violations_in_both_schemes(page)) == 1
    page.set_content(sound)
    assert violations_in_both_schemes(page) == []
