"""Build the page of the helpdesk for one election:
`python site/build_helpdesk.py ELECTION_YAML OUT_DIR`.

It shares the look of the voter space (`theme.py`) and nothing else: no script, no style sheet but
the colours, no page. All its links are relative, so it may lie below `/helpdesk/` or at a domain of
its own. What the deploy alone knows, it reads from `config.json` beside it.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path

from build import fixed_colours, modules_of
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from reassort.election import ElectionFileError
from reassort.election_file import ElectionFile, read_election_file
from reassort.french import typeset_html
from theme import ThemeError, colour

_SITE = Path(__file__).resolve().parent
_SOURCE = _SITE.parent / "helpdesk"
_ENTRY = "main.js"


def build_helpdesk(election: ElectionFile, out: Path) -> None:
    """Write the page and its assets into `out`, which is made if need be.

    Raises:
        theme.ThemeError: the election's colours cannot be used; nothing is written.
        OSError: `out` cannot be written.
    """
    folders = (_SOURCE / "scripts", _SOURCE / "styles", _SOURCE / "vendor")
    files = {path.name: path.read_text("utf-8") for folder in folders for path in sorted(folder.iterdir())}
    theme = (_SITE / "styles" / "theme.css").read_text("utf-8")
    files["theme.css"], palettes = colour(theme, election.site.colours.model_dump())
    files["icon.svg"] = fixed_colours((_SITE / "images" / "icon.svg").read_text("utf-8"), palettes["light"])
    facts = {"timezone": election.timezone}
    files["election.js"] = f"export const election = {json.dumps(facts, ensure_ascii=False)};\n"
    digest = hashlib.sha256("\0".join(text for item in sorted(files.items()) for text in item).encode())
    assets = f"assets/{digest.hexdigest()[:10]}"

    shutil.rmtree(out / "assets", ignore_errors=True)
    (out / assets).mkdir(parents=True)
    for name, text in files.items():
        (out / assets / name).write_text(text, "utf-8")
    templates = Environment(
        loader=FileSystemLoader(_SOURCE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    modules = sorted(modules_of(_ENTRY, files) - {_ENTRY})
    html = templates.get_template("index.html").render(election=election, assets=assets, modules=modules)
    (out / "index.html").write_text(typeset_html(html), "utf-8")


def main(arguments: list[str]) -> int:
    """Build the page for the election file named first into the folder named second. Return the
    exit status.
    """
    match arguments:
        case [source, out]:
            pass
        case _:
            print("usage: python site/build_helpdesk.py ELECTION_YAML OUT_DIR", file=sys.stderr)
            return 2
    try:
        build_helpdesk(read_election_file(Path(source)), Path(out))
    except (ElectionFileError, ThemeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
