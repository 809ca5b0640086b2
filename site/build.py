"""Build the static voter space of one election: `python site/build.py ELECTION_YAML OUT_DIR`.

Pages are Jinja templates that know no election; what they say of one comes from its file. Styles,
scripts and what the scripts need to know of the election go to `assets/<hash of their content>/`,
so a browser may keep them forever and still never mixes two versions.
"""

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from calendar_file import ballot_calendar
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from reassort.clock import epoch_milliseconds
from reassort.election import ElectionFileError, HelpdeskHours, Opening, Window, telephone_digits
from reassort.election_file import ElectionFile, read_election_file
from reassort.field_faults import FIELD_MESSAGES
from reassort.french import french_date, french_hours, french_instant, typeset_html, zone_words
from reassort.phones import TERRITORIES, plan_of
from theme import Palette, ThemeError, colour
from utc_offsets import utc_offsets

_SOURCE = Path(__file__).resolve().parent
# For the voter's own calendar.
CALENDAR = "vote.ics"
_ASSETS = ("styles", "scripts", "images")
_VARIABLE = re.compile(r"var\(--([\w-]+)\)")
_COMMENT = re.compile(r"^[ \t]*(?:/\*(?:[^*]|\*(?!/))*\*/|//[^\n]*)\n", re.MULTILINE)
_IMPORT = re.compile(r'^import\b[^;]*?"\./([\w-]+\.js)";', re.MULTILINE)


def build_site(election: ElectionFile, out: Path) -> None:
    """Write the pages and assets of an election's voter space into `out`, which is made if need be.

    Raises:
        theme.ThemeError: its colours cannot be used; nothing is written.
        jinja2.TemplateError: a page names something that is not there.
        OSError: `out` cannot be written.
    """
    files = {path.name: path.read_text("utf-8") for folder in _ASSETS for path in sorted((_SOURCE / folder).iterdir())}
    files["theme.css"], palettes = colour(files["theme.css"], election.site.colours.model_dump())
    files["icon.svg"] = fixed_colours(files["icon.svg"], palettes["light"])
    facts = json.dumps(browser_facts(election), ensure_ascii=False, separators=(",", ":"))
    files["election.js"] = f"export const election = {facts};\n"
    files = {
        name: without_comments(text) if name.endswith(".js") or name == "style.css" else text
        for name, text in files.items()
    }
    digest = hashlib.sha256("\0".join(text for item in sorted(files.items()) for text in item).encode())
    assets = f"/assets/{digest.hexdigest()[:10]}"

    shutil.rmtree(out / "assets", ignore_errors=True)
    (out / assets[1:]).mkdir(parents=True)
    for name, text in files.items():
        (out / assets[1:] / name).write_text(text, "utf-8")

    templates = Environment(
        loader=FileSystemLoader(_SOURCE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["moment"] = lambda instant: french_instant(epoch_milliseconds(instant), election)
    templates.filters["day"] = french_date
    templates.filters["hours"] = lambda openings: french_hours(openings) or "fermée"
    templates.filters["duration"] = french_duration
    context = {
        "election": election,
        "assets": assets,
        "tel": telephone_digits(election.helpdesk.phone),
        "zone": zone_words(election),
        "territories": [TERRITORIES[code] for code in election.phones.territories],
        "modules": lambda entry: sorted(modules_of(entry, files) - {entry}),
    }
    for page in sorted((_SOURCE / "pages").glob("*.html")):
        html = templates.get_template(f"pages/{page.name}").render(context)
        (out / page.name).write_text(typeset_html(html), "utf-8")
    (out / CALENDAR).write_bytes(ballot_calendar(election).encode())


def browser_facts(election: ElectionFile) -> dict[str, Any]:
    """Return what the scripts need to know. Hours are minutes since local midnight, times ISO 8601
    with an offset.
    """

    def hours(period: HelpdeskHours) -> dict[str, Any]:
        return {
            "weekdays": [_minutes(opening) for opening in period.weekdays],
            "dates": {day.isoformat(): [_minutes(span) for span in spans] for day, spans in period.dates.items()},
        }

    def window(span: Window) -> dict[str, str]:
        opens_at, closes_at = (instant.astimezone(election.zone) for instant in (span.opens_at, span.closes_at))
        return {"opensAt": opens_at.isoformat(), "closesAt": closes_at.isoformat()}

    return {
        "site": election.site.name,
        "utcOffsets": utc_offsets(
            election.zone, election.windows.reissue.opens_at.year - 1, election.windows.voting.closes_at.year + 1
        ),
        "zone": zone_words(election),
        "reissue": window(election.windows.reissue),
        "voting": window(election.windows.voting),
        "helpdesk": {
            "phone": election.helpdesk.phone,
            "tel": telephone_digits(election.helpdesk.phone),
            "written": written_way(election),
            "outsideVoting": hours(election.helpdesk.outside_voting),
            "duringVoting": hours(election.helpdesk.during_voting),
        },
        "domains": [domain.contents() for domain in election.domains],
        "fieldMessages": FIELD_MESSAGES,
        "phonePlans": phone_plans(election.phones.territories),
        "numenLockSeconds": election.limits.numen.lock_minutes * 60,
    }


def written_way(election: ElectionFile) -> dict[str, str] | None:
    """Return how to write to the helpdesk: a link and its words, the mailbox rather than the
    form.
    """
    helpdesk = election.helpdesk
    if helpdesk.email:
        return {"href": f"mailto:{helpdesk.email}", "words": helpdesk.email}
    return {"href": helpdesk.form, "words": "formulaire de l’assistance"} if helpdesk.form else None


def phone_plans(accepted: Collection[str]) -> list[dict[str, Any]]:
    """Return the numbering plans of the French territories, those of the election first and in its
    order.
    """
    regions = [*accepted, *(region for region in TERRITORIES if region not in accepted)]
    return [
        {
            "code": str(plan.country_code),
            "name": TERRITORIES[plan.region],
            "accepted": plan.region in accepted,
            "trunk": plan.trunk,
            "mobile": plan.mobile,
            "landline": plan.landline,
        }
        for plan in map(plan_of, regions)
    ]


def fixed_colours(svg: str, palette: Palette) -> str:
    """Put colours where an image names their tokens, `var(--…)`: it cannot read the theme's style
    sheet.
    """
    return _VARIABLE.sub(lambda found: palette[found[1]], svg)


def french_duration(minutes: int) -> str:
    """Return `2 heures`, or `90 minutes` when it is not a number of hours."""
    count, unit = (minutes // 60, "heure") if minutes % 60 == 0 else (minutes, "minute")
    return f"{count} {unit}{'s' if count > 1 else ''}"


def _minutes(opening: Opening) -> tuple[int, int]:
    return (opening.start.hour * 60 + opening.start.minute, opening.end.hour * 60 + opening.end.minute)


def without_comments(text: str) -> str:
    """Leave out the comments of a script that have lines of their own: an eighth of a first
    load.
    """
    return _COMMENT.sub("", text)


def modules_of(entry: str, files: dict[str, str]) -> set[str]:
    """Return a script and all it imports: a page names them at once, so the browser need not find
    them one by one.
    """
    found: set[str] = set()
    waiting = {entry}
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= set(_IMPORT.findall(files[name])) - found
    return found


def main(arguments: list[str]) -> int:
    """Build the site of the election file named first into the folder named second. Return the exit
    status.
    """
    match arguments:
        case [source, out]:
            pass
        case _:
            print("usage: python site/build.py ELECTION_YAML OUT_DIR", file=sys.stderr)
            return 2
    try:
        election = read_election_file(Path(source))
    except ElectionFileError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        build_site(election, Path(out))
    except ThemeError as error:
        print(*(f"{source}: site.colours.{fault}" for fault in str(error).splitlines()), sep="\n", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
