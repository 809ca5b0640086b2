"""The election that a stack runs with, read from its layer: what is refused for one, and how it is
held against a folder's file.
"""

from __future__ import annotations

import io
import json
import threading
import zipfile
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from reassort.election import ElectionFileError, election_from_json
from reassort_ops.account import deployed_election
from reassort_ops.account.deployed_election import deployed_parts, differing, layer_archive, raise_if_another
from reassort_ops.failures import OperatorError

from harness.elections import FOLDER, election_content, election_layer, read_election, write_election
from tests.unit.ops.check.answers import AnsweringAws, Answers

ID = "dijon-2018"
ELECTION = read_election(ID)
DEPLOYED = election_from_json(ELECTION.for_functions())
LAYER = "arn:aws:lambda:eu-west-3:123456789012:layer:shared:7"


def layer(*contents: str | bytes) -> bytes:
    """Return the archive of a layer with other files in the election's place, each in a folder of
    its own.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("python/reassort/elections/lyon-2030.json", "{}")
        for number, content in enumerate(contents):
            packed.writestr(f"python{number}/reassort/elections/{ID}.json", content)
    return archive.getvalue()


def changed(**members: Any) -> str:
    """Return the election as functions read it, with other members; None takes one away."""
    content = {**json.loads(ELECTION.for_functions()), **members}
    return json.dumps({name: value for name, value in content.items() if name not in members or value is not None})


@pytest.fixture
def holds(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Have the layer hold what a test gives."""

    def hold(archive: bytes) -> None:
        monkeypatch.setattr(deployed_election, "layer_archive", lambda _, arn: {LAYER: archive}[arn])

    return hold


NO_AWS: Any = None


# ---------------------------------------------------------------- what the layer holds


def test_the_election_of_a_layer_can_be_recognised_again(holds: Callable[[bytes], None]) -> None:
    archive = election_layer(ELECTION)
    holds(archive)
    parts = deployed_parts(NO_AWS, ID, LAYER)
    assert parts.election == DEPLOYED
    assert parts.election_sha256 == sha256(ELECTION.for_functions().encode()).hexdigest()
    assert parts.layer_sha256 == b64encode(sha256(archive).digest()).decode()


def test_a_stack_that_names_no_layer_is_too_old() -> None:
    with pytest.raises(OperatorError, match=r"^the stack does not say which layer it runs with: "):
        deployed_parts(NO_AWS, ID, "")


LIMITS = json.loads(ELECTION.for_functions())["limits"]


@pytest.mark.parametrize(
    "archive",
    [
        b"no archive",
        layer(),
        layer("{}", "{}"),
        layer("{"),
        layer(b"\xff"),
        layer("{}"),
        layer(changed(windows=None)),
        layer(changed(unknown=1)),
        layer(changed(limits={**LIMITS, "sms_max_price_usd": "ten cents"})),
        layer(changed(limits={**LIMITS, "redeliveries": {"most": 3}})),
    ],
    ids=[
        "no archive",
        "no election",
        "two elections",
        "no JSON",
        "no text",
        "an empty object",
        "a member that is missing",
        "a member that is unknown",
        "a price that is no number",
        "a number that is an object",
    ],
)
def test_a_layer_of_something_else_is_told_as_such(holds: Callable[[bytes], None], archive: bytes) -> None:
    holds(archive)
    with pytest.raises(OperatorError, match=rf"^{LAYER} does not hold the election {ID}$"):
        deployed_parts(NO_AWS, ID, LAYER)


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_an_operator_who_may_not_read_the_layer_learns_which_right_is_missing(code: str) -> None:
    answers = Answers()
    answers.refuse("lambda", "GetLayerVersionByArn", code)
    with pytest.raises(OperatorError, match="AWS refuses lambda:GetLayerVersion on the stack's layer"):
        deployed_parts(AnsweringAws(answers), ID, LAYER)


def test_another_refusal_is_passed_on() -> None:
    answers = Answers()
    answers.refuse("lambda", "GetLayerVersionByArn", "ResourceNotFoundException")
    with pytest.raises(ClientError):
        deployed_parts(AnsweringAws(answers), ID, LAYER)


# ---------------------------------------------------------------- where the layer comes from


class Archives(BaseHTTPRequestHandler):
    """A site that answers with what it was asked for."""

    def do_GET(self) -> None:
        """Answer one request."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("stands_in", "link", "asked_for"),
    [
        (None, "{site}/layer-7?token=a", b"/layer-7?token=a"),
        ("{site}", "http://localstack.invalid/layer-7?token=a", b"/layer-7"),
        ("{site}/", "http://localstack.invalid/layer-7", b"/layer-7"),
    ],
)
def test_a_layer_is_fetched_by_awss_link_or_from_what_stands_in_for_it(
    monkeypatch: pytest.MonkeyPatch, stands_in: str | None, link: str, asked_for: bytes
) -> None:
    with HTTPServer(("127.0.0.1", 0), Archives) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        site = f"http://127.0.0.1:{server.server_port}"
        answers = Answers()
        answers.compute("lambda", "GetLayerVersionByArn", lambda _: {"Content": {"Location": link.format(site=site)}})
        aws = AnsweringAws(answers)
        monkeypatch.setattr(aws, "elsewhere", lambda: stands_in and stands_in.format(site=site))
        try:
            assert layer_archive(aws, LAYER) == asked_for
        finally:
            server.shutdown()
            thread.join()


# ---------------------------------------------------------------- another file


def test_a_folder_with_the_deployed_file_is_taken(tmp_path: Path) -> None:
    write_election(tmp_path, ID)
    raise_if_another("reassort", DEPLOYED, tmp_path)
    raise_if_another("reassort", DEPLOYED, FOLDER)


def test_a_folder_without_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ElectionFileError, match=f"{ID}.yaml"):
        raise_if_another("reassort", DEPLOYED, tmp_path)


def windows(**times: str) -> dict[str, Any]:
    """Return the windows of the election with other times of the ballot."""
    content: dict[str, Any] = election_content(ID)["windows"]
    return {**content, "voting": {**content["voting"], **times}}


def refused(folder: Path, **replaced: Any) -> str:
    """Return how a folder's file is said to differ."""
    path = write_election(folder, ID, **replaced)
    with pytest.raises(OperatorError) as told:
        raise_if_another("reassort", DEPLOYED, folder)
    start = f"{path} is not the election that stack reassort runs with; nothing was done. "
    text = str(told.value)
    assert text.startswith(start)
    assert text.endswith(". Without --elections the deployed one holds")
    return text.removeprefix(start).removesuffix(". Without --elections the deployed one holds")


def test_what_differs_is_told_with_both_values(tmp_path: Path) -> None:
    assert refused(tmp_path, windows=windows(closes_at="2018-12-06T18:00")) == (
        "windows.voting.closes_at is 2018-12-06 18:00 +0100 there, 2018-12-06 17:00 +0100 here"
    )
    assert refused(tmp_path, name="n" * 61) == f"name is {'n' * 60}… there, {ELECTION.name} here"
    assert refused(tmp_path, name="n" * 60) == f"name is {'n' * 60} there, {ELECTION.name} here"
    retention = {**election_content(ID)["retention"], "deliveries_days": 31}
    assert refused(tmp_path, retention=retention) == (
        f"retention.deliveries_days is 31 there, {ELECTION.retention.deliveries_days} here"
    )
    domains = election_content(ID)["domains"]
    assert refused(tmp_path, domains=domains[:1]) == "domains is another value there, another value here"
    canaries = {
        "every_minutes": 15,
        "late_after_minutes": 5,
        "targets": [{"domain": "ac-dijon.fr", "mailbox": "a@ac-dijon.fr"}],
    }
    assert refused(tmp_path, canaries=canaries) == "canaries is another value there, not given here"


@pytest.mark.parametrize(("count", "more"), [(4, ""), (5, "; and 1 more"), (6, "; and 2 more")])
def test_of_many_differences_four_are_told_and_the_others_counted(tmp_path: Path, count: int, more: str) -> None:
    rates = election_content(ID)["sending"]
    names = [name for name in rates if name not in ("sms_per_day", "codes_per_day")]
    days = {"sms_per_day": rates["sms_per_day"] + 1, "codes_per_day": rates["codes_per_day"] + 1}
    other = {**rates, **{name: rates[name] + 1 for name in names[: min(4, count)]}}
    other |= dict(list(days.items())[: count - 4])
    text = refused(tmp_path, sending=other)
    assert text.count(" there, ") == 4
    assert text.endswith(f"here{more}")


def test_each_member_that_differs_is_named_by_its_path() -> None:
    one = ELECTION.windows
    other = one.replaced(voting=one.voting.replaced(closes_at=one.reissue.opens_at))
    assert list(differing(one, one)) == []
    assert list(differing(one, other, "windows")) == [
        ("windows.voting.closes_at", one.voting.closes_at, one.reissue.opens_at)
    ]
    assert list(differing(one, None)) == [("", one, None)]
    assert list(differing(None, one)) == [("", None, one)]
