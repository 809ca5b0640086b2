"""Help without a telephone stands beside its number: on every page of every election."""

import re
from html import unescape
from pathlib import Path

import pytest

from harness.elections import IDS, read_election, write_election
from harness.site.mocked_space import built_site


def pages(site: Path) -> dict[str, str]:
    """Return the pages of a built site by name, with plain spaces."""
    return {path.name: re.sub(r"\s", " ", unescape(path.read_text("utf-8"))) for path in site.glob("*.html")}


@pytest.mark.req("U8", "U9")
@pytest.mark.parametrize("election_id", IDS)
def test_every_page_that_names_the_telephone_has_the_ways_without_one(election_id: str, tmp_path: Path) -> None:
    helpdesk = read_election(election_id).helpdesk
    ways = [f'href="mailto:{helpdesk.email}"']
    if helpdesk.relay:
        ways += [f'href="{helpdesk.relay.address}"', f">{helpdesk.relay.name}<"]
    ways += [f'href="{helpdesk.form}"'] if helpdesk.form else []
    built = pages(built_site(tmp_path, election_id))
    assert len(built) > 10
    assert [(name, way) for name, page in built.items() for way in ways if way not in page] == []
    assert [name for name, page in built.items() if helpdesk.phone not in page] == []


def test_site_of_an_election_without_these_parts_says_nothing_of_them(tmp_path: Path) -> None:
    whole = read_election("dijon-2018").helpdesk
    hours = {"weekdays": ["08:00-12:00"]}
    bare = {"phone": whole.phone, "outside_voting": hours, "during_voting": hours}
    source = write_election(tmp_path, "dijon-2018", voting_site=None, helpdesk=bare)
    text = "".join(pages(built_site(tmp_path / "out", source=source)).values())
    assert "Fin du vote : <strong>" in text
    for words in ("Par écrit", "malentendantes :", "sur un autre site :"):
        assert words not in text
