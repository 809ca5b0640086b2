"""For each advice, what an agent says to the voter, and what must not be said."""

import ast
import re
from collections.abc import Iterator

import pytest
from helpdesk.phrases import PHRASES, Phrase

from local.processes import ROOT

# As long as the sentences of the voter sheet may be (tests/component/test_voter_sheet.py).
LONGEST_SENTENCE = 25
_SENTENCE_END = re.compile(r"(?<=[.?]) (?!»)")


def _advised() -> Iterator[str]:
    """Yield the name of each advice that the sources give, wherever they give it."""
    for folder in ("functions", "ops"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.Call(func=ast.Name(id="Advice"), args=[ast.Constant(value=str(name)), *_]):
                        yield name


@pytest.mark.req("H2")
def test_each_advice_has_a_phrase_and_no_phrase_is_left_over() -> None:
    advised = {*_advised()}
    assert len(advised) > 20
    assert {*PHRASES} == advised


@pytest.mark.parametrize("name", PHRASES)
def test_a_phrase_is_said_in_one_breath(name: str) -> None:
    phrase = PHRASES[name]
    for text in (phrase.say, phrase.never_say):
        for sentence in _SENTENCE_END.split(text):
            words = re.findall(r"[^\W_]+(?:[’@.•-]+[^\W_]+)*", sentence)
            assert 2 <= len(words) <= LONGEST_SENTENCE, sentence
            assert sentence.endswith((".", "?")), sentence
            assert "'" not in sentence, sentence


@pytest.mark.parametrize("name", PHRASES)
def test_what_must_not_be_said_is_a_prohibition(name: str) -> None:
    for sentence in _SENTENCE_END.split(PHRASES[name].never_say):
        forbids = re.search(r"\b(?:[Nn]e|[Nn]’\w+)\b.*\b(?:pas|jamais|ni|rien|personne)\b|ne s’|seulement", sentence)
        assert forbids, sentence


@pytest.mark.req("H4")
@pytest.mark.parametrize("name", PHRASES)
def test_no_secret_is_asked_for(name: str) -> None:
    """The agent asks for what the page shows, never for what opens something."""
    for sentence in _SENTENCE_END.split(PHRASES[name].say):
        if re.search(r"(?i)lisez-moi|dites-moi|donnez-moi|épelez", sentence):
            assert not re.search(r"NUMEN|identifiant|code de connexion|mot de passe", sentence), sentence


@pytest.mark.req("H4")
def test_nobody_is_told_that_somebody_voted() -> None:
    assert "a voté" not in PHRASES["voted"].say
    assert "avez voté" not in PHRASES["voted"].say
    assert "Ne confirmez" in PHRASES["voted"].never_say


def test_a_phrase_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        PHRASES["voted"] = Phrase("", "")  # type: ignore[index]
