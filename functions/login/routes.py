"""The routes of sign-in: read a request, call one rule, write its answer."""

from typing import ClassVar

from reassort.addresses import AddressDomainError, AddressFormatError, normalise_address
from reassort.election import Election
from reassort.http import Answer, Body, Request, Routes, clear_cookie, read_body, set_cookie, text
from reassort.logs import Journal
from reassort.problems import Code, FieldFault, Problem
from reassort.sessions import SESSION_COOKIE, parse_token, session_item_key
from reassort.tables import delete_one

from login.codes import CODE_DIGITS, SignIn, ask_code, redeem_code

CHALLENGE_COOKIE = "__Host-challenge"


class AskBody(Body):
    """`POST /api/login`."""

    email: str
    checks: ClassVar = {"email": text(254)}


class RedeemBody(Body):
    """`POST /api/login/code`; blanks around and inside the code are forgiven."""

    code: str
    checks: ClassVar = {"code": text(20)}


class Login:
    """The routes of sign-in."""

    def __init__(self, deps: SignIn, journal: Journal) -> None:
        self._deps = deps
        self._journal = journal
        self.routes: Routes = {
            ("POST", "/api/login"): self.ask,
            ("POST", "/api/login/code"): self.redeem,
            ("DELETE", "/api/login"): self.sign_out,
        }

    def ask(self, request: Request) -> Answer:
        """Queue a code. The answer does not depend on the roll."""
        election = self._deps.election
        body = read_body(request, AskBody, {"email": _address_message(election)})
        try:
            address = normalise_address(body.email, election.domain_names)
        except AddressFormatError as error:
            fault = FieldFault("email", "invalid", _address_message(election))
            raise Problem(Code.INVALID_FIELDS, errors=(fault,)) from error
        except AddressDomainError as error:
            raise _domain_problem(election) from error
        held = parse_token(request.cookies.get(CHALLENGE_COOKIE))
        asked = ask_code(address, held, request.source, self._deps)
        voter_id = asked.challenge.voter_id
        self._journal.record("code asked", voter=voter_id, queued=int(asked.sent))
        if asked.today is not None and asked.today > election.limits.code.alarm_per_day:
            self._journal.warn("many codes asked", voter=voter_id, today=asked.today)
        return Answer(
            202,
            {"expires_in": asked.expires_in, "resend_in": asked.resend_in},
            cookies=(set_cookie(CHALLENGE_COOKIE, str(asked.challenge), asked.expires_in),),
        )

    def redeem(self, request: Request) -> Answer:
        """Turn a code into a session."""
        message = f"Saisissez les {CODE_DIGITS} chiffres du code reçu par courriel."
        body = read_body(request, RedeemBody, {"code": message})
        code = "".join(body.code.split())
        if len(code) != CODE_DIGITS or not (code.isascii() and code.isdigit()):
            raise Problem(Code.INVALID_FIELDS, errors=(FieldFault("code", "invalid", message),))
        held = parse_token(request.cookies.get(CHALLENGE_COOKIE))
        try:
            session = redeem_code(code, held, self._deps)
        except Problem as problem:
            self._journal.warn("code refused", voter=held.voter_id if held else None, code=problem.code.value)
            raise
        self._journal.record("signed in", voter=session.voter_id)
        limits = self._deps.election.limits.session
        return Answer(
            200,
            {"expires_in": limits.idle_minutes * 60},
            cookies=(
                set_cookie(SESSION_COOKIE, str(session), limits.absolute_minutes * 60),
                clear_cookie(CHALLENGE_COOKIE),
            ),
        )

    def sign_out(self, request: Request) -> Answer:
        """Delete the session on the server and both cookies in the browser."""
        token = parse_token(request.cookies.get(SESSION_COOKIE))
        if token is not None:
            key = session_item_key(self._deps.keyed_hash, token)
            delete_one(self._deps.dynamodb, self._deps.sign_in_table, key)
            self._journal.record("signed out", voter=token.voter_id)
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
