"""Every text that a voter can meet, read for plain French: short sentences, everyday words, « vous
», typography.
"""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from reassort.problems import WORDINGS
from reassort.reasons import Reason

from harness.elections import IDS, read_election
from harness.service.messages import canary_sms, emails, sms
from harness.site.mocked_space import built_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notify.texts import Email

ROOT = Path(__file__).parents[2]
LONGEST_SENTENCE = 25
# What the law wants to be named there is named: cookies.
LEGAL = {"accessibilite.html", "confidentialite.html", "mentions-legales.html"}
SCRIPTS = tuple(sorted((ROOT / "site" / "scripts").glob("*.js")))
# Where the API's messages for voters are written.
SOURCES = (
    *sorted((ROOT / "functions" / "login").glob("*.py")),
    *sorted((ROOT / "functions" / "reissue").glob("*.py")),
    ROOT / "layers" / "shared" / "reassort" / "http.py",
    ROOT / "layers" / "shared" / "reassort" / "field_faults.py",
)

_ENGLISH = (
    r"browser|bug|checkbox|click|e-?mails?|feedback|helpdesk|login|logout|mails?|ok|password|pin|reset|server|spam|timeout|"
    r"tokens?|urls?"
)
_STIFF = (
    r"afin d[e’]\w*|ci-après|cliqu\w+|conformément|dans le cadre d\w*|le cas "
    r"échéant|nonobstant|préalablement|procéde[rz]|"
    r"susvisée?s?|ultérieurement|veuillez"
)
# Jargon that is said once in plain words, or that the law wants to be said.
_EXPLAINED = re.compile(r"courriel \(e-mail\)|« spam »|« sous pli cacheté »")
_RULES = {
    "word": re.compile(rf"(?<![\w@./-])(?:{_ENGLISH}|{_STIFF}|pli cacheté)(?![\w@/-])", re.IGNORECASE),
    "tu": re.compile(r"\b(?:tu|toi|te|ton|ta|tes)\b|\bt’", re.IGNORECASE),
    # A past participle that makes every voter a man.
    "gender": re.compile(
        r"\b(?:vous|je) (?:n’)?(?:êtes|suis)(?: plus| pas| déjà)? (?:dé)?(?:bloqué|connecté)\b", re.IGNORECASE
    ),
    "straight quote": re.compile(r"['\"]"),
    "double space": re.compile(r"\S  +\S"),
}
_COOKIE = re.compile(r"\bcookies?\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
# An address, an elided word and a number in groups are one word each.
_WORD = re.compile(r"\d+(?: \d+)+|[^\W_]+(?:[’@.•-]+[^\W_]+)*")
# What the eye reads in one go, whatever the markup.
_INLINE = {"a", "b", "em", "span", "strong", "time"}
_SAID_ATTRIBUTES = {"aria-label", "alt", "data-fault", "data-title", "placeholder", "title"}
_UNSAID = {"script", "style", "svg"}


class Blocks(HTMLParser):
    """The texts of a page, one for each block and for each attribute that is shown or spoken."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts = [""]
        self._unsaid = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unsaid += tag in _UNSAID
        said = [value for name, value in attrs if value and name in _SAID_ATTRIBUTES]
        said += [value for name, value in attrs if value and ("name", "description") in attrs and name == "content"]
        self.texts[:0] = said
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._unsaid -= tag in _UNSAID
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._unsaid:
            self.texts[-1] += data

    def _break(self, tag: str) -> None:
        if tag not in _INLINE:
            self.texts.append("")


def faults(text: str, *, legal: bool = False) -> list[str]:
    """Return what is wrong with a text, in the words of the text."""
    text = re.sub(r"[\u00a0\u202f]", " ", text)
    bare = _EXPLAINED.sub("X", text)
    found = [f"{rule}: {hit[0]}" for rule, pattern in _RULES.items() for hit in pattern.finditer(bare)]
    # A browser that refuses them calls them so in its settings.
    if not legal and "navigateur" not in bare:
        found += [f"word: {hit[0]}" for hit in _COOKIE.finditer(bare)]
    for sentence in _SENTENCE_END.split(text):
        count = len(_WORD.findall(sentence))
        if count > LONGEST_SENTENCE:
            found.append(f"{count} words: {' '.join(sentence.split())}")
    return found


def faults_of(texts: list[str]) -> list[str]:
    """Return what is wrong with any of these texts."""
    return [fault for text in texts for fault in faults(text)]


def script_texts(script: str) -> list[str]:
    """Return the literals of a script that are made of words; a value within becomes `X`."""
    code = re.sub(r"/\*.*?\*/|(?:^|\s)//[^\n]*|new (?:Error|Unreachable)\([^\n]*", "", script, flags=re.DOTALL)
    code = re.sub(r"\"\s*\+\s*\"", "", code)
    literals = re.findall(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`', code)
    texts = [re.sub(r"\$\{[^}]*\}", "X", plain or template) for plain, template in literals]
    return [
        text
        for text in texts
        if re.search(r"[^\W\d_]{2,} [^\W\d_]|[éèêàç]", text) and not re.search(r"[<>{}=#\[]", text)
    ]


def source_texts(source: str) -> Iterator[str]:
    """Give the French strings of a module; a value within becomes `X`."""
    tree = ast.parse(source)
    passed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    passed |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in passed:
                said = text
            case ast.JoinedStr(values=parts):
                said = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in parts)
            case _:
                continue
        if re.search(r"[éèêàç’]", said) or re.fullmatch(r"[A-ZÉ].* .*\.", said):
            yield said


@pytest.fixture(scope="module", params=IDS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of each election."""
    return built_site(tmp_path_factory.mktemp(request.param), request.param)


@pytest.mark.req("U9", "U13")
def test_pages_are_in_plain_french(site: Path) -> None:
    found = {}
    for page in sorted(site.glob("*.html")):
        legal = page.name in LEGAL
        texts = Blocks(page.read_text("utf-8")).texts
        assert len([text for text in texts if text.strip()]) > 20
        found[page.name] = [fault for text in texts for fault in faults(text, legal=legal)]
    assert {name: bad for name, bad in found.items() if bad} == {}


@pytest.mark.req("U9")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_what_scripts_say_is_in_plain_french(script: Path) -> None:
    assert faults_of(script_texts(script.read_text("utf-8"))) == []


@pytest.mark.req("U9")
def test_texts_of_scripts_and_modules_are_found() -> None:
    scripts = [text for script in SCRIPTS for text in script_texts(script.read_text("utf-8"))]
    assert "Vous avez quitté votre session." in scripts
    assert "Réassort n° X, remplace le n° X" in scripts
    assert "Votre messagerie a classé notre courriel comme indésirable. " in " ".join(scripts)
    messages = [text for path in SOURCES for text in source_texts(path.read_text("utf-8"))]
    assert "Confirmez que votre identifiant actuel cessera de fonctionner." in messages
    assert "Saisissez les 6 chiffres du code reçu par courriel." in messages


@pytest.mark.req("U9")
def test_refusals_are_in_plain_french() -> None:
    for code, wording in WORDINGS.items():
        assert faults_of([wording.title, re.sub(r"\{\w+\}", "X", wording.detail)]) == [], code
        # A title is read on its own, above the detail.
        assert not wording.title.endswith("."), code
        assert wording.detail.endswith("."), code


@pytest.mark.req("U9")
def test_reasons_and_field_messages_are_in_plain_french() -> None:
    assert faults_of([reason.words for reason in Reason]) == []
    assert faults_of([text for path in SOURCES for text in source_texts(path.read_text("utf-8"))]) == []


EMAILS = [
    pytest.param(email, id=f"{election_id}-{name}")
    for election_id in IDS
    for name, email in emails(read_election(election_id))
]


@pytest.mark.req("U9", "U12")
@pytest.mark.parametrize("email", EMAILS)
def test_emails_are_in_plain_french(email: Email) -> None:
    # A line of the text part that goes on in the next one ends with no full stop; lines of a list
    # stand alone.
    lines = re.split(r"\n\s*\n|\n(?=[-\d•])|(?<=:)\n", email.text)
    assert faults_of([email.subject, *lines]) == []
    assert faults_of(Blocks(email.html).texts) == []


@pytest.mark.req("U9", "U12")
@pytest.mark.parametrize("election_id", IDS)
def test_sms_is_in_plain_french(election_id: str) -> None:
    for text in (sms(read_election(election_id)), canary_sms(read_election(election_id))):
        assert faults_of(text.splitlines()) == []


@pytest.mark.req("U7", "U9")
def test_the_word_of_the_procedure_stands_in_the_reference_alone(site: Path) -> None:
    """Before it, the same is said in plain words."""
    assert "Un réassort est un nouvel identifiant de vote" in (site / "aide.html").read_text("utf-8")
    for election_id in IDS:
        for _, email in emails(read_election(election_id)):
            for part in (email.text, email.html):
                text = re.sub(r"[\u00a0\u202f]", " ", part)
                lines = re.findall("^.*réassort.*$", text, re.MULTILINE | re.IGNORECASE)
                told = [line for line in lines if "service de réassort" not in line]
                assert [re.sub("<.*", "", line) for line in told] in ([], ["Réassort n° 2, remplace le n° 1"])
                if told:
                    assert "votre 2e identifiant" in text
                    assert text.index("votre 2e identifiant") < text.index(told[0])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Entrez votre login.", "word: login"),
        ("Envoyez un e-mail.", "word: e-mail"),
        ("Regardez dans vos mails.", "word: mails"),
        ("Regardez dans les spam.", "word: spam"),
        ("Cliquez sur le bouton.", "word: Cliquez"),
        ("Veuillez patienter.", "word: Veuillez"),
        ("Ce site pose un cookie.", "word: cookie"),
        ("Il est remis sous pli cacheté.", "word: pli cacheté"),
        ("Tu peux voter.", "tu: Tu"),
        ("Vous n’êtes plus connecté.", "gender: Vous n’êtes plus connecté"),
        ("L'identifiant est prêt.", "straight quote: '"),
        ("Voici  le code.", "double space: i  l"),
        (f"Oui. {'mot ' * 25}de\u00a0trop.", f"27 words: {'mot ' * 25}de trop."),
    ],
)
def test_bad_text_is_found(text: str, fault: str) -> None:
    assert faults(text) == [fault]
    assert faults(Blocks(f"<p>Bon.</p><p>{text}</p>").texts[-2]) == [fault]
    assert faults(Blocks(f'<input data-fault="{text}">').texts[0]) == [fault]


def test_good_text_passes() -> None:
    texts = (
        "Par courriel (e-mail), à mon adresse professionnelle",
        "Regardez dans les courriers indésirables («\u202fspam\u202f»).",
        f"{'mot ' * 24}prenom.nom@ac-dijon.fr.",
        "L’identifiant 0690 12 34 56 est prêt : c’est fini. Votez !",
    )
    for text in texts:
        assert faults(text) == []
    assert faults("Deux cookies servent à vous identifier.", legal=True) == []
