"""The pages as files: sound HTML, no dead link, what they must say, without JavaScript and on paper
too.
"""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Page, expect

from harness.elections import IDS, read_election
from harness.site.checkers import Checkers
from harness.site.mocked_space import ELECTION, NOW, ORIGIN, REFERENCE, MockedSpace, built_site, tracked
from harness.site.pages import PAGES, SCORED, SCORED_SIGNED_IN
from tests.site.reading import expect_shown, plain, shown

# What voters ask, and what the answer must name.
QUESTIONS = {
    "Quelle adresse utiliser ?": ("prenom.nom@ac-dijon.fr", "prenom.nom@u-bourgogne.fr", "prenom.nom@crous-dijon.fr"),
    "Le code n’arrive pas": ("courriers indésirables", "Videz votre boîte", "valable 10 minutes"),
    "J’ai donné une mauvaise adresse": ("changer d’adresse",),
    "Le code est refusé": ("dans le navigateur où vous l’avez demandé", "nouveau code"),
    "Je ne connais plus mon NUMEN": ("enveloppe cachetée",),
    "Mon NUMEN est refusé": ("Après 5 essais, attendez 15 minutes.", "seule l’assistance"),
    "Quels numéros de mobile sont acceptés ?": ("outre-mer", "0690", "étrangers sont refusés"),
    "Le SMS n’arrive pas": ("par courriel",),
    "Le courriel n’arrive pas, ou ma boîte est pleine": ("spam", "videz-la"),
    "Je me suis trompé de numéro": ("refaites une demande", "ne fonctionnera plus"),
    "Le suivi ne propose plus l’autre moyen": ("3 fois", "pendant 2 heures après la demande"),
    "Que veut dire « réassort n° 2 » ?": ("nouvel identifiant de vote", "le n° 1"),
    "Mon identifiant ne fonctionne plus": ("annule le précédent", "appelez l’assistance"),
    "Le site dit que j’ai déjà voté": ("appelez tout de suite l’assistance",),
    "Les demandes sont fermées": ("du lundi 5 novembre 2018 à 8 h",),
}


@pytest.fixture(scope="module", params=IDS)
def any_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return request.param, built_site(tmp_path_factory.mktemp(request.param), request.param)


@pytest.mark.req("U10")
def test_every_file_is_valid_html(any_site: tuple[str, Path], checkers: Checkers) -> None:
    _, site = any_site
    for name in PAGES:
        assert checkers.html((site / name).read_text("utf-8")) == [], name


@pytest.mark.req("U9")
def test_every_link_leads_somewhere(any_site: tuple[str, Path]) -> None:
    """Pages and anchors of the site, telephone numbers, and no other host but the public bodies
    that must be named.
    """
    election_id, site = any_site
    strangers = set()
    for name in PAGES:
        html = (site / name).read_text("utf-8")
        for href in re.findall(r'<a\b[^>]*href="([^"]+)"', html):
            target = urlsplit(urljoin(f"{ORIGIN}/{name}", href))
            if target.scheme == "tel":
                # Nouvelle-Calédonie dials six digits.
                assert re.fullmatch(r"0\d{9}|\d{6}", target.path)
            elif target.scheme == "mailto":
                assert "@" in target.path
            elif f"{target.scheme}://{target.netloc}" != ORIGIN:
                strangers.add(target.netloc)
            else:
                file = site / target.path.removeprefix("/")
                assert file.is_file(), f"{name}: {href}"
                # « #suivi », « #secretariat », « #commencer » are said to the script, which other
                # tests look at.
                anchors = re.findall(r'id="([^"]+)"', file.read_text("utf-8"))
                assert target.fragment in {"", *anchors, "suivi", "secretariat", "commencer"}, f"{name}: {href}"
    election = read_election(election_id)
    assert election.voting_site
    relay = election.helpdesk.relay
    own = (election.voting_site.address, relay.address if relay else None, election.helpdesk.form)
    assert strangers == {
        "formulaire.defenseurdesdroits.fr",
        "www.defenseurdesdroits.fr",
        "www.cnil.fr",
        *(urlsplit(address).netloc for address in own if address),
    }


class Kinds(HTMLParser):
    """What a page is made of: its elements, the files that it loads, types of fields, roles."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: set[tuple[str, str | None]] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        self.found |= {(tag, None), (f"{tag} type", told.get("type")), ("role", told.get("role"))}
        if tag in {"script", "img", "link"}:
            self.found.add(("file", told.get("src") or told.get("href")))


@pytest.mark.req("U10")
def test_pages_that_lighthouse_looks_at_have_all_that_any_page_has(site: Path) -> None:
    scored = set().union(*(Kinds(site / name).found for name in (*SCORED, *SCORED_SIGNED_IN)))
    for name in PAGES:
        assert Kinds(site / name).found - scored == set(), name


@pytest.mark.req("U9")
def test_help_answers_the_questions_of_voters(page: Page, mocked: MockedSpace) -> None:
    mocked.open("aide.html")
    answers = page.evaluate("""() => [...document.querySelectorAll("main h3")].map(title => {
      const parts = [];
      for (let next = title.nextElementSibling; next && !/H[23]/.test(next.tagName); next = next.nextElementSibling)
        parts.push(next.innerText);
      return [title.innerText, parts.join(" ")];
    })""")
    told = {plain(title): plain(text) for title, text in answers}
    for question, texts in QUESTIONS.items():
        for text in texts:
            assert text in told[question], question


@pytest.mark.req("U13")
@pytest.mark.parametrize("election_id", IDS)
def test_statements_say_what_the_law_asks_for(page: Page, election_id: str, tmp_path: Path) -> None:
    election = read_election(election_id)
    space = MockedSpace(page, built_site(tmp_path, election_id))
    space.open("accessibilite.html")
    for text in (
        "article 47 de la loi n° 2005-102",
        "RGAA",
        "Défenseur des droits",
        election.organiser,
        election.helpdesk.phone,
    ):
        expect_shown(page, text)
    page.goto(f"{ORIGIN}/mentions-legales.html")
    for text in ("Éditeur", "publication", "Hébergement", election.organiser, "cookies"):
        assert text.lower() in shown(page).lower()
    page.goto(f"{ORIGIN}/confidentialite.html")
    for text in (
        "Adresse professionnelle",
        "NUMEN",
        "Numéro de mobile",
        f"{election.retention.deliveries_days} jours",
        f"{election.retention.roll_days} jours après la fin du vote",
        f"{election.retention.register_days} jours après la fin du vote",
        "Vos droits",
        "délégué à la protection des données",
        "saisir la CNIL",
        "Cookies",
    ):
        expect_shown(page, text)
    # Each is one press away from every page.
    for name in PAGES:
        html = (space.site / name).read_text("utf-8")
        footer = html[html.index("<footer") :]
        for link in ("/accessibilite.html", "/mentions-legales.html", "/confidentialite.html"):
            assert f'href="{link}"' in footer


@pytest.mark.req("U11")
@pytest.mark.parametrize("name", PAGES)
def test_page_without_javascript_is_readable_and_says_what_needs_it(page: Page, site: Path, name: str) -> None:
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    bare = context.new_page()
    MockedSpace(bare, site).page.goto(f"{ORIGIN}/{name}")
    expect(bare.locator("h1")).to_have_count(1)
    expect(bare.locator("aside.helpdesk")).to_contain_text(ELECTION.helpdesk.phone)
    needs_script = name in {
        "code.html",
        "connexion.html",
        "contestation.html",
        "demande.html",
        "index.html",
        "suivi.html",
    }
    notices = bare.locator("noscript p")
    assert (notices.count() > 0) == needs_script
    if needs_script:
        expect(notices.first).to_be_visible()
        # Playwright leaves noscript out of an element's text.
        said = " ".join(notices.all_text_contents())
        assert "JavaScript" in said
        assert ELECTION.helpdesk.phone in said
        # A form that would do nothing is not shown.
        assert bare.locator("form:visible").count() == 0
    context.close()


@pytest.mark.req("U6", "U7")
def test_printed_status_has_what_the_helpdesk_asks_for_and_nothing_to_press(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("delivered"))
    page.emulate_media(media="print")
    text = shown(page, "body")
    for kept in (
        "Réassort n° 2, remplace le n° 1",
        REFERENCE,
        "vendredi 30 novembre",
        ELECTION.helpdesk.phone,
        ELECTION.name,
    ):
        assert kept in text
    for selector in ("header nav", "footer nav", "button", ".skip", "#account button"):
        assert page.locator(f"{selector}:visible").count() == 0
    # On paper: dark on white, whatever the screen's colours.
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf(format="A4")) > 1_000
    assert re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")) == [b"/Type /Page"]


@pytest.mark.req("U7")
def test_status_tells_the_time_of_each_step_where_the_election_is(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("sent"))
    first = page.locator("#history li time").first
    assert plain(first.inner_text()) == "vendredi 30 novembre à 10 h 14"
    assert (first.get_attribute("datetime") or "").startswith(f"{NOW:%Y-%m-%d}T09:14")
