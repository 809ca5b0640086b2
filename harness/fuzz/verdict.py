"""What every answer must be, whatever was asked, and what the tables may hold after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.problems import WORDINGS, Code

from harness.service.openapi import kept_for, operations, raise_if_undescribed

if TYPE_CHECKING:
    from harness.fuzz.requests import GeneratedCase
    from harness.fuzz.stages import Contents
    from harness.service.world import Response


@dataclass(frozen=True)
class Counted:
    """What a refusal counts: attributes of so many items of a table, and why."""

    table: str
    attributes: frozenset[str]
    reason: str
    items: int = 1


_RECORD = frozenset(
    (
        *("agent", "sequence", "at", "action", "voter_id", "reason", "reference", "caller", "correlation_id"),
        *("previous", "hash", "chain_length", "chain_head", "hour", "looks_in_hour", "day", "looks_in_day"),
        *("verified_in_day", "acts_in_day", "last_at", "last_request", "agents"),
    )
)
# The entry, the end of the chain, and the day on which it is the agent's first.
_LOOKED = Counted("HelpdeskRecordTable", _RECORD, "whom an agent looks for is on record, found or not", items=3)
# Why an act is refused tells where the voter stands.
_TELLS_THE_STANDING = (
    Code.NO_SUCH_VOTER, Code.CALLER_NOT_VERIFIED, Code.OFF_ROLL, Code.NOTHING_TO_DO, Code.ALREADY_VOTED, Code.FROZEN,
    Code.DISPUTED, Code.WINDOW_CLOSED, Code.REISSUES_STOPPED, Code.TOO_MANY_REISSUES, Code.INVALID_FIELDS,
)  # fmt: skip
_NUMEN = frozenset({"numen_failures", "numen_locked_until"})
# All that a refusal may change. An address's bucket of codes is not here: only an answer 202 takes
# from it.
COUNTED = {
    ("redeemCode", Code.WRONG_CODE): Counted(
        "SignInTable", frozenset({"tries"}), "a try of the challenge is counted before the code is compared"
    ),
    ("redeemCode", Code.CODE_EXPIRED): Counted(
        "SignInTable", frozenset({"tries"}), "a code that is too old was compared, so it was a try"
    ),
    ("reissue", Code.NUMEN_MISMATCH): Counted("VotersTable", _NUMEN, "a wrong NUMEN is counted towards the lock"),
    ("helpdeskLook", Code.NO_SUCH_VOTER): _LOOKED,
    ("helpdeskData", Code.NO_SUCH_VOTER): _LOOKED,
    **{("helpdeskAct", code): _LOOKED for code in _TELLS_THE_STANDING},
    ("reissue", Code.LOCKED): Counted("VotersTable", _NUMEN, "the wrong NUMEN that closes the lock is counted as well"),
}
# What an answer that is no refusal may change where a request only looks.
LOOKS = {
    "overview": Counted("SignInTable", frozenset({"seen_at"}), "being there keeps the idle session alive"),
    "reissueStatus": None,
    "lookAtDispute": None,
    "serviceStatus": None,
    "helpdeskMe": None,
    "helpdeskProposals": None,
    "helpdeskShift": None,
    "helpdeskRecord": None,
    "helpdeskLook": _LOOKED,
    "helpdeskData": _LOOKED,
    "checkIdentifier": None,
}
_COOKIE_FLAGS = {"path": "/", "secure": "", "httponly": "", "samesite": "Strict"}


def raise_if_wrong(case: GeneratedCase, response: Response, before: Contents, after: Contents) -> None:
    """Compare an answer, and what the tables hold after it, with what is promised.

    Raises:
        AssertionError: names the first promise that is broken.
    """
    assert response.status < 500, f"{response.status} {response.text}"
    operation = operations().get((response.method, response.resource))
    if operation is None:
        # API Gateway has no such route and answers by itself; a function that is asked all the same
        # refuses.
        assert response.code in {Code.METHOD_NOT_ALLOWED, Code.NOT_FOUND, Code.FOREIGN_ORIGIN}, response
    else:
        raise_if_undescribed(response)
    _raise_if_form_is_wrong(response)
    told = response.text + "".join(f"{name}{value}" for name, value in response.headers.items())
    assert not [secret for secret in case.stage.secrets if secret in told], "an answer repeats what it should not"
    _raise_if_changed(operation["operationId"] if operation else "", response, before, after)


def changed_items(before: Contents, after: Contents) -> dict[tuple[str, str, str], set[str]]:
    """Return the attributes in which items differ, by table and key; all of them for an item that
    came or went.
    """
    differing = {}
    for key in before.keys() | after.keys():
        one, other = before.get(key), after.get(key)
        if one is not other and one != other:
            one, other = one or {}, other or {}
            differing[key] = {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
    return differing


def _raise_if_form_is_wrong(response: Response) -> None:
    assert response.headers["cache-control"] == kept_for(response.method, response.resource, response.status)
    assert all(value.isprintable() for value in response.headers.values())
    for name, cookie in response.cookies.items():
        assert name.startswith("__Host-")
        assert cookie.attributes.items() >= _COOKIE_FLAGS.items(), name
        assert "domain" not in cookie.attributes
    if response.status < 400:
        assert response.status == 204 or response.headers["content-type"] == "application/json"
        return
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json
    assert WORDINGS[Code(problem["code"])].status == problem["status"] == response.status
    assert problem["type"] == f"urn:reassort:problem:{problem['code']}"
    assert not response.cookies
    assert response.headers.get("retry-after") == (str(problem["retry_after"]) if "retry_after" in problem else None)
    assert response.status != 429 or problem["retry_after"] >= 1
    assert (problem["code"] == Code.INVALID_FIELDS) <= bool(problem.get("errors"))


def _raise_if_changed(operation_id: str, response: Response, before: Contents, after: Contents) -> None:
    if response.status < 400:
        if operation_id not in LOOKS:
            return
        counted = LOOKS[operation_id]
    else:
        counted = COUNTED.get((operation_id, Code(response.json["code"])))
    for (table, *_), attributes in (changes := changed_items(before, after)).items():
        assert counted is not None, f"{response.status} {response.code} changed {table}: {sorted(attributes)}"
        assert (table, len(changes)) == (counted.table, counted.items)
        assert attributes <= counted.attributes, sorted(attributes)
