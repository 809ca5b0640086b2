"""Refusals: every code is worded, in French, in a form that can be filled for any election."""

import re
import string

import pytest
from reassort.problems import WORDINGS, WORDINGS_WITH_EXTRA_PROOF, Code, FieldFault, Problem

# What the code that raises the problem has to fill, beside the helpdesk's number that every answer
# has.
VALUES = {Code.EMAIL_DOMAIN: {"domains": "personnels : prenom.nom@ac-dijon.fr"}}
CODES = [pytest.param(code, id=code.value) for code in Code]
CLIENT_ERRORS = range(400, 500)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", CODES)
def test_code_has_a_wording(code: Code) -> None:
    wording = WORDINGS[code]
    assert wording.status in CLIENT_ERRORS or (code is Code.UNAVAILABLE and wording.status == 503)
    assert wording.title
    assert not wording.title.endswith(".")
    assert wording.detail.endswith((".", "}."))


@pytest.mark.parametrize("code", CODES)
def test_every_placeholder_can_be_filled(code: Code) -> None:
    wording = WORDINGS[code]
    assert _placeholders(wording.detail) <= {"helpdesk", *VALUES.get(code, {})}
    assert not _placeholders(wording.title)
    detail = Problem(code, values=VALUES.get(code, {})).body("03.80.44.89.96")["detail"]
    assert "{" not in detail
    assert ("03.80.44.89.96" in detail) == ("helpdesk" in _placeholders(wording.detail))


@pytest.mark.parametrize("code", CODES)
def test_wording_is_french_typography(code: Code) -> None:
    text = WORDINGS[code].title + " " + WORDINGS[code].detail
    assert "'" not in text, "the apostrophe of French text is ’"
    assert "..." not in text
    assert not re.search(r"\btu\b|\bton\b|\bta\b", text)


@pytest.mark.parametrize("code", [Code.LOCKED, Code.NUMEN_MISMATCH])
def test_refusal_that_may_be_about_the_further_proof_names_both_and_not_which(code: Code) -> None:
    plain, wording = WORDINGS[code], WORDINGS_WITH_EXTRA_PROOF[code]
    assert wording.status == plain.status
    body = Problem(code, extra_proof="Date {de} naissance").body("03.80.44.89.96")
    assert body["title"] == wording.title
    assert body["detail"].startswith("Le NUMEN ou le renseignement « Date {de} naissance » ")
    assert "{extra_proof}" not in body["detail"]
    assert "'" not in body["title"] + body["detail"]
    assert set(body) == set(Problem(code).body("03.80.44.89.96"))


@pytest.mark.req("S25")
def test_body_holds_what_the_contract_names_and_nothing_else() -> None:
    problem = Problem(
        Code.LOCKED, errors=(FieldFault("numen", "invalid", "Vérifiez."),), retry_after=900, attempts_left=0
    )
    assert problem.body("03.80.44.89.96") == {
        "type": "urn:reassort:problem:locked",
        "title": WORDINGS[Code.LOCKED].title,
        "status": 429,
        "detail": WORDINGS[Code.LOCKED].detail.format(helpdesk="03.80.44.89.96"),
        "code": "locked",
        "errors": [{"field": "numen", "code": "invalid", "message": "Vérifiez."}],
        "attempts_left": 0,
        "retry_after": 900,
    }
    assert set(Problem(Code.NOT_FOUND).body("x")) == {"type", "title", "status", "detail", "code"}


def test_statuses_of_the_contract() -> None:
    expected = {
        "email-domain": 422,
        "invalid-fields": 422,
        "invalid-json": 400,
        "unsupported-media-type": 415,
        "body-too-large": 413,
        "foreign-origin": 403,
        "wrong-code": 401,
        "code-expired": 401,
        "code-used": 401,
        "no-challenge": 401,
        "too-many-tries": 429,
        "signed-out": 401,
        "numen-mismatch": 403,
        "window-closed": 409,
        "already-voted": 409,
        "frozen": 409,
        "locked": 429,
        "too-many-reissues": 429,
        "phone-in-use": 429,
        "idempotency-mismatch": 422,
        "already-delivered": 409,
        "superseded": 409,
        "delivery-in-progress": 429,
        "not-found": 404,
        "method-not-allowed": 405,
        "invalid-token": 422,
        "unavailable": 503,
    }
    assert {code: WORDINGS[Code(code)].status for code in expected} == expected


def test_text_of_the_exception_is_its_code_alone() -> None:
    assert str(Problem(Code.EMAIL_DOMAIN, values={"domains": "secret"})) == "email-domain"
