"""Write docs/phone-prefixes.md: which mobile prefixes are dialled behind a 0 within France, and
whose they are, as phonenumberslite's data have it.

`python tools/phone_prefixes.py` writes it; tests/unit/test_phones.py finds one that is out of date.
"""

import sys
from pathlib import Path

from reassort.phones import TERRITORIES, plan_of

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "phone-prefixes.md"
# Digits behind the 0 that tell a territory; four more follow.
_HEAD = 5


def prefixes() -> dict[str, str]:
    """Return the territory (ISO 3166-1) of each mobile prefix of five digits behind the 0.

    Saint-Barthélemy and Saint-Martin have Guadeloupe's prefixes and country code.
    """
    plans = [plan for plan in map(plan_of, TERRITORIES) if plan.trunk]
    found = {}
    for number in range(10 ** (_HEAD - 1), 10**_HEAD):
        regions = [plan.region for plan in plans if plan.is_mobile(f"{number}1234")]
        if regions:
            found[str(number)] = regions[0]
    return found


def document() -> str:
    """Return the page."""
    found = prefixes()
    rows = []
    for region in dict.fromkeys(found.values()):
        own = [head for head, of in found.items() if of == region]
        names = [TERRITORIES[one] for one in TERRITORIES if plan_of(one).mobile == plan_of(region).mobile]
        code = plan_of(region).country_code
        rows.append(f"| {', '.join(names)} | +{code} | {len(own):,} | {', '.join(_spans(own))} |")
    return "\n".join(
        [
            "# Mobile prefixes that are dialled within France",
            "",
            "`python tools/phone_prefixes.py` writes this page from the numbering data of phonenumberslite.",
            f"Of the 90,000 prefixes of six digits that begin with a 0, {len(found):,} are mobiles. A test dials",
            "one number of each.",
            "",
            "| territory | code | prefixes | spans |",
            "|---|---|---|---|",
            *rows,
            "",
            "Mobiles of Nouvelle-Calédonie, Polynésie française and Wallis-et-Futuna, and those of six digits",
            "of Saint-Pierre-et-Miquelon, are read with their country code alone.",
            "",
        ]
    )


def _spans(heads: list[str]) -> list[str]:
    """Write consecutive prefixes as one span."""
    spans: list[list[int]] = []
    for head in map(int, heads):
        if spans and spans[-1][1] == head - 1:
            spans[-1][1] = head
        else:
            spans.append([head, head])
    return [f"0{first}" if first == last else f"0{first}–0{last}" for first, last in spans]


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
    sys.stdout.write(f"{len(prefixes()):,} prefixes\n")
