"""Each built function alone, under the runtime interface emulator, on the events of `events/`; and
what is in the zips.
"""

from __future__ import annotations

import json
import re
import ssl
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore
import pytest

from examples.voting_platform import subscribe
from harness.runtime.emulator import imported_modules, running
from harness.runtime.trees import FUNCTIONS
from harness.service.events import load_event
from harness.stack.deployed import make_client
from local.processes import ROOT
from tests.artefact.conftest import SITE_ORIGIN, Artefacts, AwsAround
from tests.packaging_modules import packaging_module

if TYPE_CHECKING:
    from collections.abc import Callable

# The answers to the events as they stand: their session, their reference and their token are
# nobody's here.
API = {
    "api-login": ("login", 202, None),
    "api-login-code": ("login", 401, "no-challenge"),
    "api-reissue-get": ("reissue", 401, "signed-out"),
    "api-reissue-post": ("reissue", 401, "signed-out"),
    "api-reissue-status": ("reissue", 401, "signed-out"),
    "api-redelivery": ("reissue", 401, "signed-out"),
    "api-dispute": ("reissue", 422, "invalid-token"),
    "api-dispute-look": ("reissue", 422, "invalid-token"),
    "api-status": ("reissue", 200, None),
    "helpdesk-look": ("helpdesk", 404, "no-such-voter"),
    "helpdesk-data": ("helpdesk", 404, "no-such-voter"),
    "helpdesk-act": ("helpdesk", 404, "no-such-voter"),
    "helpdesk-me": ("helpdesk", 200, None),
    "helpdesk-proposals": ("helpdesk", 200, None),
    "helpdesk-decide": ("helpdesk", 404, "not-found"),
    "helpdesk-shift": ("helpdesk", 200, None),
    "helpdesk-end": ("helpdesk", 204, None),
    "helpdesk-record": ("helpdesk", 200, None),
}
MEGABYTE = 1_000_000
# Compressed, in bytes. A function is a few modules; the layer holds mostly botocore.
BOUNDS = {
    "SharedLayer": 5 * MEGABYTE,
    **{f"{name.title()}Function": 60_000 for name in FUNCTIONS},
    # The form, the tracking page, redelivery and disputes.
    "ReissueFunction": 70_000,
    # Twice the code of the others: it sends, paces, retries and takes receipts, each rule in a file
    # of its own. Source and bytecode, both are packed.
    "NotifyFunction": 165_000,
    # Half of it are French sentences: what an agent reads, and what they say.
    "HelpdeskFunction": 160_000,
}


def logical_id(function: str) -> str:
    """Return the name of a function in the template."""
    return f"{function.title()}Function"


def invoke(function: str, events: list[Any], artefacts: Artefacts, around: AwsAround, folder: Path) -> list[Any]:
    """Start a built function, give it the events one after another and return its answers."""
    with running(
        artefacts.of(logical_id(function)),
        artefacts.of("SharedLayer"),
        artefacts.runtime,
        f"{function}.handler.lambda_handler",
        {**around.environment, "AWS_LAMBDA_FUNCTION_NAME": function},
        folder / f"{function}.log",
    ) as call:
        return [call(event) for event in events]


@pytest.mark.req("I8", "S29")
@pytest.mark.parametrize("function", ["login", "reissue"])
def test_a_function_alone_answers_the_api(
    function: str, artefacts: Artefacts, surroundings: AwsAround, tmp_path: Path
) -> None:
    names = [name for name, (owner, _, _) in API.items() if owner == function]
    events = [load_event(name) for name in names]
    for event in events:
        event["headers"]["Origin"] = SITE_ORIGIN
    answers = invoke(function, events, artefacts, surroundings, tmp_path)
    for name, answer in zip(names, answers, strict=True):
        _, status, code = API[name]
        body = json.loads(answer["body"])
        assert (answer["statusCode"], body.get("code")) == (status, code), f"{name}: {answer}"
        kept = "public, max-age=30" if name == "api-status" else "no-store"
        assert answer["headers"]["Cache-Control"] == kept


@pytest.mark.req("I5")
def test_the_registry_alone_checks_and_counts(artefacts: Artefacts, surroundings: AwsAround, tmp_path: Path) -> None:
    identifier = surroundings.enrol("registry@ac-dijon.fr", "09E9900123ABC")
    check, vote = load_event("registry-check"), load_event("registry-vote")
    unknown = load_event("registry-check")
    for event in (check, vote):
        event["body"] = json.dumps({"identifier": identifier})
    answers = invoke("registry", [unknown, check, vote, vote, check], artefacts, surroundings, tmp_path)
    bodies = [json.loads(answer["body"]) for answer in answers]
    assert [answer["statusCode"] for answer in answers] == [200, 200, 200, 409, 200]
    assert [bodies[0]["status"], bodies[1]["status"], bodies[4]["status"]] == ["unknown", "active", "used"]
    assert bodies[2] == {"counted": True}
    assert bodies[3]["code"] == "already-voted"


@pytest.mark.req("R5", "I6")
def test_delivery_alone_takes_each_of_its_events(artefacts: Artefacts, surroundings: AwsAround, tmp_path: Path) -> None:
    # The event's voter is on no roll here: a delivery for a stranger is dropped, without an error.
    events = [
        load_event("outbox-stream"),
        load_event("retry-queue"),
        load_event("sweeper"),
        load_event("outbox-stream"),
        *(load_event(name) for name in ("ses-delivery", "ses-bounce", "ses-complaint", "ses-delay", "sms-log")),
    ]
    answers = invoke("notify", events, artefacts, surroundings, tmp_path)
    nothing_failed: dict[str, Any] = {"batchItemFailures": []}
    # What SNS and the log bring has no answer; a fault would be one.
    assert answers == [nothing_failed, nothing_failed, {"overdue": 0}, nothing_failed, *[None] * 5]


@pytest.mark.req("I6", "I7")
def test_the_events_alone_are_published_once_for_each_record(
    artefacts: Artefacts, surroundings: AwsAround, tmp_path: Path
) -> None:
    sns, sqs = (make_client(surroundings.aws, service) for service in ("sns", "sqs"))
    url = subscribe(sns, sqs, surroundings.environment["PLATFORM_TOPIC"], "artefact-platform")
    event = load_event("register-stream")
    nothing_failed: dict[str, Any] = {"batchItemFailures": []}
    assert invoke("announce", [event, event], artefacts, surroundings, tmp_path) == [nothing_failed] * 2
    received: list[str] = []
    while len(received) < 2:
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]:
            received.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    told = json.loads(received[0])
    voter_id = event["Records"][0]["dynamodb"]["Keys"]["voter_id"]["S"]
    assert received[1] == received[0]
    assert (told["handle"], told["status"]) == (surroundings.keyed_hash.handle(voter_id, 1), "revoked")
    assert voter_id not in received[0]


@pytest.mark.req("S25")
def test_a_function_that_lacks_a_setting_does_not_start(
    artefacts: Artefacts, surroundings: AwsAround, tmp_path: Path
) -> None:
    """The counterproof of the tests above: a fault while the function starts shows in the
    answer.
    """
    lacking = {name: value for name, value in surroundings.environment.items() if name != "VOTERS_TABLE"}
    around = AwsAround(surroundings.aws, lacking, surroundings.keyed_hash, surroundings.election)
    (answer,) = invoke("login", [load_event("api-login")], artefacts, around, tmp_path)
    assert answer["errorType"].endswith("MissingSettingError")
    assert "VOTERS_TABLE" in answer["errorMessage"]


@pytest.mark.req("P1b")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_module_is_compiled_when_a_function_starts(
    function: str, artefacts: Artefacts, surroundings: AwsAround
) -> None:
    artefact, layer = artefacts.of(logical_id(function)), artefacts.of("SharedLayer")
    lines = imported_modules(artefact, layer, f"{function}.handler.lambda_handler", surroundings.environment)
    own = (str(artefact), str(layer))
    loaded = [
        line for line in lines if re.match(r"# code object from '", line) and any(folder in line for folder in own)
    ]
    compiled = [line for line in loaded if not line.rstrip().endswith(".pyc'")]
    matched = [
        line for line in lines if re.match(r"# .+\.pyc matches ", line) and any(folder in line for folder in own)
    ]
    assert len(loaded) > 100
    assert compiled == []
    assert len(matched) <= len(loaded)


@pytest.mark.req("P7")
@pytest.mark.parametrize("name", BOUNDS)
def test_a_zip_stays_small(name: str, artefacts: Artefacts, tmp_path: Path, tell: Callable[[str], None]) -> None:
    folder = artefacts.of(name)
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    size = packed.stat().st_size
    tell(f"{name}: {size:,} bytes zipped")
    assert size <= BOUNDS[name]


@pytest.mark.req("P7")
@pytest.mark.req("A13")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_and_its_layer_fit_lambda(function: str, artefacts: Artefacts) -> None:
    # Unzipped, layers included:
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    folders = (artefacts.of(logical_id(function)), artefacts.of("SharedLayer"))
    sizes = [path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert sum(sizes) <= 250 * MEGABYTE


def test_the_artefacts_hold_no_ballast(artefacts: Artefacts) -> None:
    layer = artefacts.of("SharedLayer")
    for folder in (layer, *(artefacts.of(logical_id(function)) for function in FUNCTIONS)):
        assert list(folder.rglob("*.dist-info")) == []
        assert [path for path in folder.rglob("*") if path.is_dir() and path.name in {"tests", "test"}] == []
    services = {path.name for path in (layer / "python" / "botocore" / "data").iterdir() if path.is_dir()}
    assert services == {"dynamodb", "kms", "sesv2", "sns", "sqs"}
    elections = sorted(path.stem for path in (layer / "python" / "reassort" / "elections").iterdir())
    assert elections == [artefacts.election.id]


@pytest.mark.req("P1b")
@pytest.mark.parametrize("name", ["SharedLayer", *(logical_id(function) for function in FUNCTIONS)])
def test_every_source_has_bytecode_that_no_date_can_reject(name: str, artefacts: Artefacts) -> None:
    folder = artefacts.of(name)
    sources = list(folder.rglob("*.py"))
    assert sources
    for source in sources:
        bytecode = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert bytecode.is_file(), source
        # PEP 552: the lowest bit of the flags says that the file is named by a hash of its source,
        # not by a date.
        assert int.from_bytes(bytecode.read_bytes()[4:8], "little") & 1, source


def test_a_build_leaves_the_packages_of_this_environment_whole(artefacts: Artefacts) -> None:
    """uv links what it installs to its cache; a layer that was pruned in place would prune this
    environment, and all others, too.
    """
    assert artefacts.of("SharedLayer").is_dir()
    installed = Path(botocore.__file__).parent / "cacert.pem"
    packed = list((ROOT / ".build" / "layer").glob("*/botocore/cacert.pem"))
    assert packed
    assert not [path for path in packed if path.samefile(installed)]


def test_the_layer_trusts_the_roots_of_aws_alone(artefacts: Artefacts) -> None:
    """All five that https://www.amazontrust.com/repository/ lists: an endpoint may move from one to
    another.
    """
    bundle = artefacts.of("SharedLayer") / "python" / "botocore" / "cacert.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)
    roots: list[dict[str, Any]] = context.get_ca_certs()
    names = [value for root in roots for ((name, value),) in root["subject"] if name == "commonName"]
    assert sorted(names) == [
        "Amazon Root CA 1",
        "Amazon Root CA 2",
        "Amazon Root CA 3",
        "Amazon Root CA 4",
        "Starfield Services Root Certificate Authority - G2",
    ]


def test_the_layer_tells_the_functions_apart_that_it_was_built_with(artefacts: Artefacts) -> None:
    """What makes a new version of sign-in and reissue where environments are kept ready
    (docs/adr/0021).
    """
    written = artefacts.of("SharedLayer") / "python" / "reassort" / "functions.sha256"
    assert written.read_text(encoding="ascii") == packaging_module("package").digest_of(ROOT / "functions")
