"""The routes of reissue: read a request, call one rule, write its answer."""

from typing import Any

from reassort.cookies import read_cookie
from reassort.extra_proof import ExtraProofFormatError, normalise_extra_proof
from reassort.field_faults import FIELD_MESSAGES, field_fault
from reassort.http import (
    Answer,
    Body,
    Request,
    Routes,
    is_true,
    one_of,
    optional,
    read_body,
    read_idempotency_key,
    serve,
    text,
)
from reassort.numen import NumenFormatError, normalise_numen
from reassort.outbox import Channel
from reassort.phones import PhoneError, normalise_phone
from reassort.problems import Code, FieldFault, Problem
from reassort.references import normalise_reference
from reassort.sessions import SESSION_COOKIE, Token

from reissue.deps import Deps
from reissue.dispute import dispute_reissue, disputed_body, look_at_dispute
from reissue.form import Form
from reissue.numen_check import WrongNumenError
from reissue.overview import reissue_status, service_status, voter_overview
from reissue.redelivery import NumenWantedError, request_redelivery
from reissue.request import request_reissue

# The one answer that a cache may keep (docs/adr/0040-one-answer-may-be-kept.md).
_KEPT_SHORTLY = {"Cache-Control": "public, max-age=30"}
_MESSAGES = {
    "revision": "Rechargez la page, puis recommencez.",
    "numen": FIELD_MESSAGES["numen"]["invalid"],
    "phone": FIELD_MESSAGES["phone"]["invalid"],
    "channel": "Choisissez la réception par SMS ou par courriel.",
    "consent": "Confirmez que votre identifiant actuel cessera de fonctionner.",
    "token": "Ouvrez de nouveau le lien du courriel de confirmation.",
}


class ReissueBody(Body):
    """`POST /api/reissue`."""

    revision = text(40)
    numen = text(80)
    phone = text(80)
    channel = one_of("sms", "email")
    consent = is_true()


class ProvenReissueBody(ReissueBody):
    """`POST /api/reissue` where the election asks for a further proof; elsewhere such a member is
    ignored.
    """

    extra_proof = text(100)


class RedeliveryBody(Body):
    """`POST /api/reissue/{reference}/redelivery`."""

    channel = one_of("sms", "email")
    numen = optional(text(80))


class DisputeBody(Body):
    """`POST /api/dispute` and `/api/dispute/look`."""

    token = text(100)


def overview(request: Request, deps: Deps) -> Answer:
    """Show the voter where they stand."""
    return Answer(200, voter_overview(_token(request, deps), deps))


def of_the_service(_request: Request, deps: Deps) -> Answer:
    """Show whether identifiers are issued at present: to anybody, and of nobody."""
    return Answer(200, service_status(deps), headers=_KEPT_SHORTLY)


def reissue(request: Request, deps: Deps) -> Answer:
    """Issue a new identifier; the former one stops working."""
    token = _token(request, deps)
    form = _form(request, deps)
    key = read_idempotency_key(request)
    try:
        accepted = request_reissue(token, key, form, deps)
    except Problem as problem:
        deps.event_log.warn("reissue refused", voter=token.voter_id, code=problem.code.value)
        if isinstance(problem, WrongNumenError):
            deps.event_log.warn("numen wrong", voter=token.voter_id, locks=int(problem.code is Code.LOCKED))
        raise
    deps.event_log.record(
        "reissued",
        voter=token.voter_id,
        reference=accepted.reference,
        generation=accepted.generation,
        channel=accepted.channel.value,
    )
    return Answer(
        202,
        {
            "reference": accepted.reference,
            "generation": accepted.generation,
            "replaces": accepted.generation - 1,
            "channel": accepted.channel.value,
            "destination": accepted.destination,
        },
    )


def status(request: Request, deps: Deps) -> Answer:
    """Show where a reissue stands."""
    reference = _reference(request)
    return Answer(200, reissue_status(_token(request, deps), reference, deps))


def redeliver(request: Request, deps: Deps) -> Answer:
    """Send the same identifier by the other channel."""
    token = _token(request, deps)
    body = read_body(request, RedeliveryBody, _MESSAGES)
    reference = _reference(request)
    try:
        numen = None if body.numen is None else normalise_numen(body.numen)
    except NumenFormatError as error:
        raise Problem(Code.INVALID_FIELDS, errors=(field_fault("numen", error),)) from error
    try:
        accepted = request_redelivery(token, reference, Channel(body.channel), numen, deps)
    except NumenWantedError as error:
        fault = FieldFault("numen", "missing", FIELD_MESSAGES["numen"]["invalid"])
        raise Problem(Code.INVALID_FIELDS, errors=(fault,)) from error
    except WrongNumenError as problem:
        deps.event_log.warn("numen wrong", voter=token.voter_id, locks=int(problem.code is Code.LOCKED))
        raise
    deps.event_log.record("redelivery queued", voter=token.voter_id, reference=accepted.reference)
    return Answer(
        202,
        {
            "reference": accepted.reference,
            "generation": accepted.generation,
            "channel": accepted.channel.value,
            "destination": accepted.destination,
        },
    )


def dispute(request: Request, deps: Deps) -> Answer:
    """Freeze an identifier that its voter did not ask for."""
    body = read_body(request, DisputeBody, _MESSAGES)
    delivery = dispute_reissue(body.token, deps)
    deps.event_log.warn("reissue disputed", reference=delivery.delivery_id)
    return Answer(202, disputed_body(delivery))


def look_at(request: Request, deps: Deps) -> Answer:
    """Show which request the link of a confirmation is about."""
    body = read_body(request, DisputeBody, _MESSAGES)
    return Answer(200, disputed_body(look_at_dispute(body.token, deps)))


def _form(request: Request, deps: Deps) -> Form:
    wanted = deps.election.extra_proof
    messages = _MESSAGES if wanted is None else {**_MESSAGES, "extra_proof": wanted.fault}
    body = read_body(request, ReissueBody if wanted is None else ProvenReissueBody, messages)
    faults = []
    numen = phone = ""
    extra_proof = None
    try:
        numen = normalise_numen(body.numen)
    except NumenFormatError as error:
        faults.append(field_fault("numen", error))
    if wanted is not None:
        try:
            extra_proof = normalise_extra_proof(ProvenReissueBody(body.content).extra_proof, wanted)
        except ExtraProofFormatError:
            faults.append(FieldFault("extra_proof", "invalid", messages["extra_proof"]))
    try:
        phone = normalise_phone(body.phone, deps.election.phones.territories)
    except PhoneError as error:
        faults.append(field_fault("phone", error))
    if faults:
        raise Problem(Code.INVALID_FIELDS, errors=tuple(faults))
    return Form(body.revision, numen, phone, Channel(body.channel), extra_proof)


def _token(request: Request, deps: Deps) -> Token:
    token = read_cookie(SESSION_COOKIE, request.cookies.get(SESSION_COOKIE), deps.keyed_hash)
    if token is None:
        raise Problem(Code.SIGNED_OUT)
    return token


def _reference(request: Request) -> str:
    reference = normalise_reference(request.path_parameters.get("reference", ""))
    if reference is None:
        raise Problem(Code.NOT_FOUND)
    return reference


ROUTES: Routes[Deps] = {
    ("GET", "/api/reissue"): overview,
    ("POST", "/api/reissue"): reissue,
    ("GET", "/api/reissue/{reference}"): status,
    ("POST", "/api/reissue/{reference}/redelivery"): redeliver,
    ("POST", "/api/dispute"): dispute,
    ("POST", "/api/dispute/look"): look_at,
    ("GET", "/api/status"): of_the_service,
}


def answer(event: dict[str, Any], deps: Deps) -> dict[str, Any]:
    """Answer a REST API proxy event."""
    return serve(event, ROUTES, deps, site_origin=deps.site_origin)
