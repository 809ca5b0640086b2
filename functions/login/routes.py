"""The routes of sign-in: read a request, call one rule, write its answer."""

from typing import Any

from reassort.addresses import AddressDomainError, AddressFormatError, normalise_address
from reassort.cookies import read_cookie, write_cookie
from reassort.election import Election
from reassort.http import Answer, Body, Request, Routes, clear_cookie, optional, read_body, serve, set_cookie, text
from reassort.letting_in import normalise_request_number
from reassort.problems import Code, FieldFault, Problem
from reassort.sessions import SESSION_COOKIE, session_item_key
from reassort.tables import delete_one

from login.asking import ask_code
from login.codes import CODE_DIGITS
from login.deps import Deps
from login.redeeming import redeem_code

CHALLENGE_COOKIE = "__Host-challenge"


class AskBody(Body):
    """`POST /api/login`."""

    email = text(254)
    # Drawn by the page: the helpdesk lets a caller in by it.
    number = optional(text(20))


class RedeemBody(Body):
    """`POST /api/login/code`; blanks around and inside the code are forgiven."""

    code = text(20)


def ask(request: Request, deps: Deps) -> Answer:
    """Queue a code. The answer does not depend on the roll."""
    election = deps.election
    body = read_body(request, AskBody, {"email": _address_message(election)})
    try:
        address = normalise_address(body.email, election.domain_names)
    except AddressFormatError as error:
        fault = FieldFault("email", "invalid", _address_message(election))
        raise Problem(Code.INVALID_FIELDS, errors=(fault,)) from error
    except AddressDomainError as error:
        raise _domain_problem(election) from error
    held = read_cookie(CHALLENGE_COOKIE, request.cookies.get(CHALLENGE_COOKIE), deps.keyed_hash)
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
                write_cookie(CHALLENGE_COOKIE, asked.challenge, deps.keyed_hash),
                asked.expires_in,
            ),
        ),
    )


def redeem(request: Request, deps: Deps) -> Answer:
    """Turn a code into a session."""
    message = f"Saisissez les {CODE_DIGITS} chiffres du code reçu par courriel."
    body = read_body(request, RedeemBody, {"code": message})
    code = "".join(body.code.split())
    if len(code) != CODE_DIGITS or not (code.isascii() and code.isdigit()):
        raise Problem(Code.INVALID_FIELDS, errors=(FieldFault("code", "invalid", message),))
    held = read_cookie(CHALLENGE_COOKIE, request.cookies.get(CHALLENGE_COOKIE), deps.keyed_hash)
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
            clear_cookie(CHALLENGE_COOKIE),
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


def _address_message(election: Election) -> str:
    example = election.domains[0].example
    return f"Saisissez votre adresse électronique professionnelle, par exemple {example}."


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
