"""The routes of sign-in: read a request, call one rule, write its answer."""

from typing import Any

from reassort.addresses import AddressDomainError, AddressFormatError, normalise_address
from reassort.cookies import read_cookie, write_cookie
from reassort.election import Election
from reassort.field_faults import FIELD_MESSAGES, field_fault
from reassort.http import Answer, Body, Request, Routes, clear_cookie, optional, read_body, serve, set_cookie, text
from reassort.letting_in import normalise_request_number
from reassort.pasted import FieldFormatError, compact, six_digits
from reassort.problems import Code, FieldFault, Problem
from reassort.sessions import SESSION_COOKIE, Token, session_item_key
from reassort.tables import delete_one

from login.asking import ask_code
from login.deps import Deps
from login.redeeming import redeem_code

CHALLENGE_COOKIE = "__Host-challenge"
# How many addresses a browser may have asked for in turn without losing the code of the first: who
# mistypes theirs, and then comes back to it, has the code that was sent.
_CHALLENGES = 2
# A browser keeps the cookie for longer than the code is valid, and after it was used: so a code
# that is too old or used is told from one that was asked for elsewhere.
_REMEMBERED_SECONDS = 3600


class AskBody(Body):
    """`POST /api/login`."""

    email = text(500)
    # Drawn by the page: the helpdesk lets a caller in by it.
    number = optional(text(20))


class RedeemBody(Body):
    """`POST /api/login/code`: a code, or the sentence that it was pasted with."""

    code = text(200)


def ask(request: Request, deps: Deps) -> Answer:
    """Queue a code. The answer does not depend on the roll."""
    election = deps.election
    body = read_body(request, AskBody, {"email": _address_message(election)})
    try:
        address = normalise_address(body.email, election.domain_names)
    except AddressFormatError as error:
        fault = field_fault("email", error, example=election.domains[0].example)
        raise Problem(Code.INVALID_FIELDS, errors=(fault,)) from error
    except AddressDomainError as error:
        raise _domain_problem(election) from error
    held = _challenges(request, deps)
    asked = ask_code(address, held, request.source, deps, number=normalise_request_number(body.number or ""))
    voter_id = asked.challenge.voter_id
    deps.event_log.record("code asked", voter=voter_id, queued=int(asked.sent))
    if asked.today is not None and asked.today > election.limits.code.alarm_per_day:
        deps.event_log.warn("many codes asked", voter=voter_id, today=asked.today)
    return Answer(
        202,
        {"sent": asked.sent, "expires_in": asked.expires_in, "resend_in": asked.resend_in},
        cookies=(
            set_cookie(
                CHALLENGE_COOKIE,
                _challenge_cookie(asked.challenge, held, deps),
                asked.expires_in + _REMEMBERED_SECONDS,
            ),
        ),
    )


def redeem(request: Request, deps: Deps) -> Answer:
    """Turn a code into a session."""
    body = read_body(request, RedeemBody, {"code": FIELD_MESSAGES["code"]["invalid"]})
    try:
        code = read_code(body.code)
    except FieldFormatError as error:
        raise Problem(Code.INVALID_FIELDS, errors=(field_fault("code", error),)) from error
    held = next(iter(_challenges(request, deps)), None)
    try:
        session = redeem_code(code, held, deps)
    except Problem as problem:
        deps.event_log.warn("code refused", voter=held.voter_id if held else None, code=problem.code.value)
        raise
    deps.event_log.record("signed in", voter=session.voter_id)
    limits = deps.election.limits.session
    return Answer(
        200,
        {"expires_in": limits.idle_minutes * 60},
        cookies=(
            set_cookie(
                SESSION_COOKIE, write_cookie(SESSION_COOKIE, session, deps.keyed_hash), limits.absolute_minutes * 60
            ),
        ),
    )


def sign_out(request: Request, deps: Deps) -> Answer:
    """Delete the session on the server and both cookies in the browser."""
    token = read_cookie(SESSION_COOKIE, request.cookies.get(SESSION_COOKIE), deps.keyed_hash)
    if token is not None:
        key = session_item_key(deps.keyed_hash, token)
        delete_one(deps.dynamodb, deps.sign_in_table, key)
        deps.event_log.record("signed out", voter=token.voter_id)
    return Answer(204, cookies=(clear_cookie(SESSION_COOKIE), clear_cookie(CHALLENGE_COOKIE)))


def _challenges(request: Request, deps: Deps) -> list[Token]:
    """Return the challenges that the browser holds, that of its last request first."""
    parts = request.cookies.get(CHALLENGE_COOKIE, "").split(".")[:_CHALLENGES]
    tokens = [read_cookie(CHALLENGE_COOKIE, part, deps.keyed_hash) for part in parts]
    return [token for token in tokens if token is not None]


def _challenge_cookie(newest: Token, held: list[Token], deps: Deps) -> str:
    others = [token for token in held if token.voter_id != newest.voter_id]
    kept = [newest, *others][:_CHALLENGES]
    return ".".join(write_cookie(CHALLENGE_COOKIE, token, deps.keyed_hash) for token in kept)


def _address_message(election: Election) -> str:
    return FIELD_MESSAGES["email"]["invalid"].format(example=election.domains[0].example)


def read_code(typed: str) -> str:
    """Return the six digits of a one-time code.

    Raises:
        FieldFormatError: there are none (`invalid`), or another number of digits (`length`).
    """
    code = six_digits(typed)
    if code is not None:
        return code
    digits = compact(typed)
    if digits.isascii() and digits.isdigit():
        raise FieldFormatError("length", count=str(len(digits)))
    raise FieldFormatError("invalid")


def _domain_problem(election: Election) -> Problem:
    domains = ", ".join(f"{domain.example} ({domain.staff})" for domain in election.domains)
    accepted = ", ".join(f"@{domain.domain}" for domain in election.domains)
    message = f"Utilisez votre adresse électronique professionnelle ({accepted})."
    return Problem(
        Code.EMAIL_DOMAIN, errors=(FieldFault("email", "email-domain", message),), values={"domains": domains}
    )


ROUTES: Routes[Deps] = {
    ("POST", "/api/login"): ask,
    ("POST", "/api/login/code"): redeem,
    ("DELETE", "/api/login"): sign_out,
}


def answer(event: dict[str, Any], deps: Deps) -> dict[str, Any]:
    """Answer a REST API proxy event."""
    return serve(event, ROUTES, deps, site_origin=deps.site_origin, source_header=deps.source_header)
