"""The built site: each election has its own names, dates, texts and colours, and nothing of
another; colours can be read.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from harness.elections import FOLDER, IDS, election_content, read_election
from harness.engines.template import read_template

if TYPE_CHECKING:
    from types import ModuleType

    from reassort.election_file import ElectionFile

ROOT = Path(__file__).parent.parent.parent
SITE = ROOT / "site"
COLOUR = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b(?![\w-])")
SPACE = re.compile(r"[\s\u00a0\u202f]+")


def _load(name: str) -> ModuleType:
    # `site` is also a module of Python's own library.
    spec = importlib.util.spec_from_file_location(name, SITE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


theme = _load("theme")
utc_offsets = _load("utc_offsets").utc_offsets
THEME = (SITE / "styles" / "theme.css").read_text("utf-8")
STYLE = (SITE / "styles" / "style.css").read_text("utf-8")
DEFAULTS: dict[str, dict[str, str]] = theme.colour(THEME, {"light": {}, "dark": {}})[1]


def run_build(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Run site/build.py as an operator does."""
    command = [sys.executable, str(SITE / "build.py"), str(source), str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def build_changed(folder: Path, **site: Any) -> subprocess.CompletedProcess[str]:
    """Build into `folder`/out the site of Dijon with other members of its part `site`."""
    content = election_content("dijon-2018")
    content["site"].update(site)
    source = folder / "dijon-2018.yaml"
    source.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return run_build(source, folder / "out")


def files_of(out: Path) -> dict[str, str]:
    """Return all files of a built site by their name, with plain spaces."""
    return {path.name: plain(path.read_text("utf-8")) for path in sorted(out.rglob("*")) if path.is_file()}


def plain(text: str) -> str:
    """Undo what typesetting does to a text."""
    return SPACE.sub(" ", unescape(text))


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Return the files of the site of every election."""
    built = {}
    for election_id in IDS:
        out = tmp_path_factory.mktemp(election_id)
        done = run_build(FOLDER / f"{election_id}.yaml", out)
        assert (done.returncode, done.stderr) == (0, "")
        built[election_id] = files_of(out)
    return built


def own_words(election: ElectionFile) -> set[str]:
    """Return what the site says of this election and, unless two have it in common, of no other."""
    windows = election.windows
    instants = (windows.reissue.opens_at, windows.reissue.closes_at, windows.voting.opens_at, windows.voting.closes_at)
    site = election.site
    texts = {
        election.name,
        election.organiser,
        election.helpdesk.phone,
        re.sub(r"\D", "", election.helpdesk.phone),
        *(text for domain in election.domains for text in (domain.domain, domain.staff, domain.example)),
        *(instant.isoformat() for instant in instants),
        site.name,
        site.publication_director,
        site.host.name,
        site.host.address,
        site.data_protection_contact,
        *ways_to_vote_and_to_write(election),
    }
    return {plain(text) for text in (*texts, site.notice, site.host.data_location) if text}


def ways_to_vote_and_to_write(election: ElectionFile) -> set[str]:
    """Return what the file says of the voting site and of help without a telephone."""
    helpdesk, vote = election.helpdesk, election.voting_site
    assert vote
    relay = helpdesk.relay.contents().values() if helpdesk.relay else ()
    parts = (vote.name, vote.address, vote.note, helpdesk.email, helpdesk.form, *relay)
    return {part for part in parts if part}


def test_there_are_two_elections_to_tell_apart() -> None:
    assert len(IDS) >= 2


@pytest.mark.parametrize("election_id", IDS)
def test_site_says_all_that_is_the_elections_own(election_id: str, sites: dict[str, dict[str, str]]) -> None:
    pages = "".join(sites[election_id].values())
    assert [word for word in own_words(read_election(election_id)) if word not in pages] == []


@pytest.mark.parametrize(("one", "other"), list(permutations(IDS, 2)))
def test_site_has_no_word_of_another_election(one: str, other: str, sites: dict[str, dict[str, str]]) -> None:
    foreign = own_words(read_election(other)) - own_words(read_election(one))
    assert {read_election(other).organiser, read_election(other).site.name} <= foreign
    found = {(name, word) for name, text in sites[one].items() for word in foreign if word in text}
    assert found == set()


@pytest.mark.parametrize(("one", "other"), list(permutations(IDS, 2)))
def test_site_has_no_colour_of_another_election(one: str, other: str, sites: dict[str, dict[str, str]]) -> None:
    foreign = set(COLOUR.findall(sites[other]["theme.css"])) - set(COLOUR.findall(sites[one]["theme.css"]))
    assert foreign, "two elections that look the same"
    found = {(name, value) for name, text in sites[one].items() for value in foreign if value in text}
    assert found == set()


def test_dijon_has_the_colours_of_the_theme_as_it_stands(sites: dict[str, dict[str, str]]) -> None:
    assert sites["dijon-2018"]["theme.css"] == plain(THEME)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_an_election_take_the_place_of_those_of_the_theme(
    scheme: str, sites: dict[str, dict[str, str]]
) -> None:
    light, dark, printed = re.split("(?=@media)", sites["normandie-2026"]["theme.css"])
    own = getattr(read_election("normandie-2026").site.colours, scheme)
    assert own
    expected = {**DEFAULTS[scheme], **own}
    declared = re.findall(r"--([\w-]+): (#\w+);", {"light": light, "dark": dark}[scheme])
    assert {name: theme._six_digits(value) for name, value in declared} == expected
    assert printed == re.split("(?=@media)", plain(THEME))[2]


def test_icon_has_the_brand_of_the_election(sites: dict[str, dict[str, str]]) -> None:
    for election_id in IDS:
        icon = sites[election_id]["icon.svg"]
        brand = read_election(election_id).site.colours.light.get("brand", DEFAULTS["light"]["brand"])
        assert set(COLOUR.findall(icon)) == {brand, "#ffffff"}
        assert "var(" not in icon


def test_colours_stand_in_the_theme_and_nowhere_else() -> None:
    sources = [path for path in SITE.rglob("*") if path.suffix in {".css", ".html", ".js", ".svg"}]
    coloured = {
        path.name
        for path in sources
        if re.search(r"[:\"] ?#(?:[0-9a-f]{6}|[0-9a-f]{3})\b[;\"]", path.read_text("utf-8"))
    }
    assert coloured == {"theme.css"}


# Texts of `site`, one a page.


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the files of a site all of whose texts are its own."""
    folder = tmp_path_factory.mktemp("changed")
    done = build_changed(
        folder,
        name="Guichet <électeur>",
        notice="Panne & retards : patientez.",
        publication_director="Madame la Présidente",
        host={"name": "Hôte", "address": "1 rue des Serveurs, Paris", "data_location": "Tout est à Paris."},
        data_protection_contact="la DPD, 2 rue du Droit",
        accessibility={
            "status": "partiellement conforme",
            "audit": {"by": "le Bureau d’audit", "on": "2018-10-01", "rate": 87.5},
            "defects": ["une image sans texte", "un tableau sans titre"],
        },
    )
    assert (done.returncode, done.stderr) == (0, "")
    return files_of(folder / "out")


@pytest.mark.parametrize("election_id", IDS)
def test_every_page_says_by_its_head_which_election_it_is_of(
    election_id: str, sites: dict[str, dict[str, str]]
) -> None:
    pages = {name: text for name, text in sites[election_id].items() if name.endswith(".html")}
    named = {name: re.findall(r'<meta name="election" content="([^"]*)">', text) for name, text in pages.items()}
    assert len(named) > 10
    assert set(map(tuple, named.values())) == {(election_id,)}


def test_every_page_has_the_name_of_the_site(changed: dict[str, str]) -> None:
    pages = [text for name, text in changed.items() if name.endswith(".html")]
    assert len(pages) == len(list((SITE / "pages").iterdir()))
    for page in pages:
        assert re.search(r"<title>[^<]+ – Guichet <électeur></title>", page)
        assert "<strong>Guichet <électeur></strong>" in page
    assert '"site":"Guichet <électeur>"' in changed["election.js"]
    assert all("space électeur" not in text for text in changed.values())


def test_texts_of_an_election_are_no_markup(tmp_path: Path) -> None:
    assert build_changed(tmp_path, name="<b>", notice="<script>").returncode == 0
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "&lt;b&gt;" in page
    assert "&lt;script&gt;" in page


def test_every_page_shows_the_notice_in_a_landmark_with_a_name(changed: dict[str, str]) -> None:
    for name, page in changed.items():
        if name.endswith(".html"):
            before, notice = page.split('<section class="organiser-notice" aria-labelledby="organiser-notice-title">')
            assert "</header>" in before, name
            shown = re.sub("<[^>]+>", "", notice.split("</section>")[0]).strip()
            assert shown == "Message de l’organisateur : Panne & retards : patientez."


def test_no_page_has_an_empty_notice(sites: dict[str, dict[str, str]]) -> None:
    assert read_election("dijon-2018").site.notice is None
    assert all("organiser-notice" not in text for name, text in sites["dijon-2018"].items() if name.endswith(".html"))


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("mentions-legales.html", "Direction de la publication : Madame la Présidente."),
        ("mentions-legales.html", "Hôte, 1 rue des Serveurs, Paris. Tout est à Paris."),
        ("confidentialite.html", "(académie de Dijon). Ses coordonnées : la DPD, 2 rue du Droit."),
        ("accessibilite.html", "<strong>partiellement conforme</strong>"),
        ("accessibilite.html", "Audit : le Bureau d’audit, lundi 1er octobre 2018. Il montre que 87,5 % des critères"),
        ("accessibilite.html", "<li>une image sans texte</li> <li>un tableau sans titre</li>"),
        ("index.html", ">Accessibilité : partiellement conforme</a>"),
    ],
)
def test_page_shows_its_texts(page: str, text: str, changed: dict[str, str]) -> None:
    assert text in changed[page]


def test_site_without_an_audit_says_so(sites: dict[str, dict[str, str]]) -> None:
    page = sites["dijon-2018"]["accessibilite.html"]
    assert "n’a pas encore été audité" in page
    assert "<strong>non conforme</strong>" in page
    assert "La liste n’est pas encore établie" in page


def test_address_of_the_data_protection_officer_can_be_clicked(sites: dict[str, dict[str, str]]) -> None:
    assert 'href="mailto:dpd@ac-dijon.fr">dpd@ac-dijon.fr</a>' in sites["dijon-2018"]["confidentialite.html"]


@pytest.mark.parametrize("election_id", IDS)
def test_privacy_page_says_how_long_this_election_keeps_things(
    sites: dict[str, dict[str, str]], election_id: str
) -> None:
    page = sites[election_id]["confidentialite.html"]
    retention = read_election(election_id).retention
    assert page.count(f"{retention.roll_days} jours après la fin du vote") == 3
    assert page.count(f"{retention.register_days} jours après la fin du vote") == 1
    assert f"{retention.deliveries_days} jours" in page
    # What an operator can choose is never more than what the page promises.
    logs = read_template()["Parameters"]["LogRetentionDays"]
    assert f"{max(logs['AllowedValues'])} jours au plus" in page


# Contrast.


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#000000", 21.0),
        ("#123456", "#123456", 1.0),
        # The greys on both sides of 4.5 and of 3, as every contrast checker gives them.
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#ffffff", 4.48),
        ("#949494", "#FFFFFF", 3.03),
        ("#959595", "#ffffff", 2.995),
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#ffffff", 8.59),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert theme.contrast(one, other) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("least", "front", "behind"),
    [(least, front, behind) for least, front, behinds in theme.PAIRS for behind in behinds],
)
def test_default_colours_can_be_read(scheme: str, least: float, front: str, behind: str) -> None:
    assert least in {4.5, 3}
    assert theme.contrast(DEFAULTS[scheme][front], DEFAULTS[scheme][behind]) >= least


def test_both_schemes_set_every_colour() -> None:
    light, dark, _ = re.split("(?=@media)", THEME)
    assert set(theme._TOKEN.findall(light)) != set(theme._TOKEN.findall(dark))
    assert [name for name, _ in theme._TOKEN.findall(light)] == [name for name, _ in theme._TOKEN.findall(dark)]
    assert len(DEFAULTS["light"]) == len(re.findall("#", light))


def test_every_colour_of_a_text_is_in_a_pair() -> None:
    fronts = {front for least, front, _ in theme.PAIRS if least == 4.5}
    used = set(re.findall(r"(?<![\w-])color: var\(--([\w-]+)\)", STYLE))
    assert len(used) > 5
    assert used <= fronts


def test_every_colour_under_a_text_is_in_a_pair() -> None:
    behinds = {behind for _, _, behinds in theme.PAIRS for behind in behinds}
    used = set(re.findall(r"background: var\(--([\w-]+)\)", STYLE))
    # The dot of an open helpdesk, with no text on it.
    assert used - {"success"} <= behinds


@pytest.mark.parametrize(
    ("colours", "faults"),
    [
        (
            {"light": {"brand": "#8fb8c4"}},
            [
                "light: brand on surface: contrast 2.13, at least 4.5 is needed",
                "light: on-brand on brand: contrast 2.13, at least 4.5 is needed",
            ],
        ),
        ({"dark": {"on-brand": "#ffffff"}}, ["dark: on-brand on brand: contrast 1.74, at least 4.5 is needed"]),
        (
            {"light": {"line-strong": "#959595"}},
            ["light: line-strong on surface: contrast 2.99, at least 3 is needed"],
        ),
        # 4.478: a ratio is never rounded up to what it should be.
        (
            {"light": {"link": "#777777", "page": "#ffffff"}},
            ["light: link on surface: contrast 4.47, at least 4.5 is needed"],
        ),
        ({"light": {"brnd": "#000000"}}, ["light.brnd: not a colour of site/styles/theme.css"]),
        ({"dark": {"radius": "#000000"}}, ["dark.radius: not a colour of site/styles/theme.css"]),
    ],
)
def test_colours_that_cannot_be_used_are_refused(
    colours: dict[str, dict[str, str]], faults: list[str], tmp_path: Path
) -> None:
    done = build_changed(tmp_path, colours=colours)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    for fault in faults:
        assert f"{tmp_path / 'dijon-2018.yaml'}: site.colours.{fault}" in lines
    assert all(line.startswith(f"{tmp_path / 'dijon-2018.yaml'}: site.colours.{next(iter(colours))}") for line in lines)
    assert not (tmp_path / "out").exists()


def test_contrast_is_that_of_the_resulting_set(tmp_path: Path) -> None:
    """A light brand is refused alone, and accepted with a dark text on it and a dark page around
    it.
    """
    dark = DEFAULTS["dark"]
    assert build_changed(tmp_path, colours={"light": {"brand": dark["brand"]}}).returncode == 1
    assert build_changed(tmp_path, colours={"light": dark}).returncode == 0


@pytest.mark.req("U6")
@pytest.mark.parametrize("name", ["Europe/Paris", "Pacific/Noumea", "America/Miquelon"])
def test_scripts_tell_the_time_that_the_zone_tells(name: str) -> None:
    zone = ZoneInfo(name)
    offsets = utc_offsets(zone, 2026, 2027)
    hours = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=count) for count in range(2 * 365 * 24))
    for hour in hours:
        held = [minutes for since, minutes in offsets if since <= hour.timestamp() // 60][-1]
        assert timedelta(minutes=held) == hour.astimezone(zone).utcoffset(), hour
