"""axe-core, in the words of a test."""

from collections.abc import Sequence

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

_RUN = """options => axe.run(document, options).then(
  ({violations}) => violations.map(({id, nodes}) => `${id}: ${nodes[0].html.slice(0, 120)}`))"""


def violations(page: Page, *rules: str, without: Sequence[str] = ()) -> list[str]:
    """Return each rule that the page breaks, with the first element that does: of all of axe's
    rules, of some, or of all but some.
    """
    # Half a megabyte: once for each document.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    # What passes is most of a report, and none of it is asked for.
    options = {
        "resultTypes": ["violations"],
        **({"runOnly": list(rules)} if rules else {}),
        "rules": {rule: {"enabled": False} for rule in without},
    }
    found: list[str] = page.evaluate(_RUN, options)
    return found


# What decides how an element contrasts: its letters, and the colours and place of all that it
# stands in.
_LOOKS = """() => {
  const colours = new Map();
  const within = (element) => {
    if (!element) return "";
    if (!colours.has(element)) {
      const { color, backgroundColor, backgroundImage, opacity, position } = getComputedStyle(element);
      const own = [color, backgroundColor, backgroundImage, opacity, position].join(" ");
      const outer = within(element.parentElement);
      colours.set(element, outer.endsWith(own) ? outer : `${outer}; ${own}`);
    }
    return colours.get(element);
  };
  const visible = [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility());
  const looks = visible.map((element) => {
    const { fontSize, fontWeight, textDecorationLine } = getComputedStyle(element);
    return [fontSize, fontWeight, textDecorationLine, within(element)].join(" ");
  });
  return [...new Set(looks)];
}"""
_CONTRASTS = ("color-contrast", "link-in-text-block")
_sound: set[str] = set()


def violations_in_both_schemes(page: Page) -> list[str]:
    """Return what is wrong in light colours, then what their dark counterparts add.

    Contrasts are half of axe's time: it measures them in a scheme only when some element has a look
    that no sound page before had.
    """
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        looks = set(page.evaluate(_LOOKS))
        faults = violations(page, *_CONTRASTS) if looks - _sound else []
        if not faults:
            _sound.update(looks)
        found += faults
        if scheme == "light":
            found += violations(page, without=_CONTRASTS)
    return found
