"""What the register takes as a reason: tickets, and nothing that tells of a person."""

from __future__ import annotations

import pytest
from helpdesk.fields import given_reason
from reassort.act_reasons import ReasonError, ReasonFault, checked_reason, recorded_reason
from reassort.problems import Code, Problem


@pytest.mark.parametrize(
    "reason",
    [
        "ticket INC0012345",
        "RITM-20418, boîte volée",
        "dossier #4821",
        "GLPI 118204",
        "bureau, 9:10",
        "le 29/11/2018 à 8:30",
        "M. le directeur a appelé",
        "incident v2.1 du fournisseur",
        "voir www.exemple.fr",
    ],
)
def test_taken(reason: str) -> None:
    assert checked_reason(f"  {reason} ") == reason


@pytest.mark.req("I7", "S24")
@pytest.mark.parametrize(
    "reason",
    [
        "claire.martin@ac-dijon.fr",
        "Mme Martin a appelé",
        "M. Le Gall",
        "Madame de Broglie",
        "Monsieur d’Argens",
        "claire.martin a appelé",
        "NUMEN 09E9900123ABC",
        "09E9900123ABC",
        "06 12 34 56 78",
        "tel 0612345678",
        "TEL 0612345678",
        "+33612345678",
        "né le 17031968",
    ],
)
def test_of_a_person(reason: str) -> None:
    with pytest.raises(ReasonError) as refused:
        checked_reason(reason)
    assert refused.value.fault is ReasonFault.PERSONAL


@pytest.mark.req("I7")
@pytest.mark.parametrize("reason", ["", " \t ", "x" * 81, "ticket\x07", "ticket\u202e4821"])
def test_of_no_length_that_the_register_keeps_or_with_unseen_marks(reason: str) -> None:
    with pytest.raises(ReasonError) as refused:
        checked_reason(reason)
    assert refused.value.fault is ReasonFault.LENGTH


def test_of_80_characters_blanks_around_not_counted() -> None:
    assert checked_reason(f" {'x' * 80} ") == "x" * 80


@pytest.mark.req("H2")
@pytest.mark.parametrize(
    "reason",
    [
        "appelant vérifié",
        "Appelant-VÉRIFIÉ",
        "appelant verifie",
        "oui (appelantvérifié)",
        "appelant ve\u0301rifie\u0301",
    ],
)
def test_nobody_writes_what_only_a_callers_code_shows(reason: str) -> None:
    with pytest.raises(ReasonError) as refused:
        checked_reason(reason)
    assert refused.value.fault is ReasonFault.RESERVED


@pytest.mark.req("H2")
def test_a_callers_code_is_on_record_beside_the_reason() -> None:
    assert recorded_reason("GLPI 118204", caller_verified=True) == "GLPI 118204 (appelant vérifié)"
    assert recorded_reason("GLPI 118204", caller_verified=False) == "GLPI 118204"


@pytest.mark.req("H3")
@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        ("x" * 81, "length", "en 80 caractères au plus"),
        ("Mme Martin a appelé", "personal-data", "ni adresse ni numéro"),
        ("Appelant vérifié", "reserved-words", "écrivez le motif seul"),
    ],
)
def test_an_agent_is_told_what_is_wrong_with_a_reason(typed: str, code: str, words: str) -> None:
    with pytest.raises(Problem) as refusal:
        given_reason(typed)
    (fault,) = refusal.value.errors
    assert (refusal.value.code, fault.field, fault.code) == (Code.INVALID_FIELDS, "reason", code)
    assert words in fault.message


def test_an_agents_reason_is_kept_as_the_register_keeps_it() -> None:
    assert given_reason("  boîte   volée ") == "boîte volée"
