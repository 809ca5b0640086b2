"""The project's own template, built by `sam build` and deployed by `sam deploy` on the embedded
AWS.
"""

import contextlib
import json
import platform
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from alarms.template import template as observability

from local.aws import LocalAws, isolated_environment
from local.elections import write_current_election
from local.processes import ROOT, run

STACK = "reassort"
ELECTION = ROOT / "elections" / "dijon-2018.yaml"
BUCKET = "reassort-local"
PROFILE = ("--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local")
# In the template's words. MiniStack runs functions on the host's own Python, so the layer must hold
# the host's wheels.
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
DARWIN_PLATFORMS = {"x86_64": "x86_64-apple-darwin", "arm64": "aarch64-apple-darwin"}


@dataclass(frozen=True)
class EmbeddedStack:
    """A stack on the embedded AWS. `api_url` has no trailing slash; add the paths of openapi.yaml
    to it.
    """

    name: str
    region: str
    endpoint_url: str
    api_url: str
    outputs: Mapping[str, str]


def architecture() -> str:
    """Give the host's architecture in the template's words."""
    machine = platform.machine().lower()
    return ARCHITECTURES.get(machine, machine)


def write_demo_elections(folder: Path, election: Path = ELECTION) -> Path:
    """Write an election, open now, to `folder`/elections, and give that folder.

    Raises:
        NoFitError, ElectionFileError: see `write_current_election`.
    """
    elections = folder / "elections"
    write_current_election(election, elections, datetime.now(UTC))
    return elections


def build(folder: Path, elections: Path, *, template: Path = ROOT / "template.yaml") -> Path:
    """Build the template for this host into `folder`, with the files of `elections` in the layer;
    give the built template, which is JSON as its nested ones are.

    It needs no AWS. What it gives can be deployed any number of times, under different stack names.

    Raises:
        CommandError: `sam build` fails.
    """
    environment = {**_sam_environment(folder, isolated_environment()), "ELECTIONS_DIR": str(elections)}
    if sys.platform == "darwin":
        environment["LAYER_PLATFORM"] = DARWIN_PLATFORMS[architecture()]
    built = folder / "build"
    command = [_program("sam"), "build", *PROFILE, "--parallel"]
    command += ["--template-file", str(template), "--build-dir", str(built)]
    command += ["--parameter-overrides", f"Architecture={architecture()}"]
    run(command, environment=environment, log=folder / "sam-build.log")
    for nested in (built, *built.glob("*Stack")):
        _write_as_json(nested / "template.yaml")
    # The alarms of these elections, which need not be among the repository's.
    observed = json.dumps(observability(elections), indent=1, ensure_ascii=False)
    (built / "ObservabilityStack" / "template.yaml").write_text(observed, encoding="utf-8")
    return built / "template.yaml"


def _write_as_json(template: Path) -> None:
    """Write a built template as JSON, which is YAML as well: `sam deploy` and the embedded AWS read
    each many times, and YAML a hundred times as slowly. Paths become absolute, for a built folder
    may be moved.
    """
    content = yaml.load(template.read_text(encoding="utf-8"), yaml.CSafeLoader)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    included = re.compile(r'"((?:\.\./)+[^"]+)"')
    text = included.sub(lambda found: json.dumps(str((template.parent / found[1]).resolve())), text)
    template.write_text(text, encoding="utf-8")


def deploy(
    aws: LocalAws,
    template: Path,
    folder: Path,
    *,
    site_origin: str,
    election: str = ELECTION.stem,
    stack_name: str = STACK,
    parameters: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> EmbeddedStack:
    """Deploy a built template on the embedded AWS.

    Args:
        aws: the embedded AWS.
        template: what `build` gave.
        folder: receives the log.
        site_origin: the origin of the voter site, without a trailing slash.
        election: the id of one of the elections that were built.
        stack_name: the stack's name.
        parameters: further template parameters; they win over the local ones.
        options: further options of `sam deploy`; they win over the profile's.
        environment: of the one who deploys, else the administrator's.

    Raises:
        CommandError: `sam deploy` fails.
    """
    s3 = aws.client("s3")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.region})
    values = {
        "Architecture": architecture(),
        "DeletionProtection": "false",
        "Election": election,
        "SiteOrigin": site_origin,
        "SenderDomain": "elections.example",
        "AlarmAddress": "assistance@elections.example",
        # MiniStack's root account, whose root key plays everybody.
        "VotingPlatformPrincipal": "arn:aws:iam::000000000000:root",
        # What MiniStack cannot evaluate is left out of the roles, see the template.
        "IamDetail": "local",
        **(parameters or {}),
    }
    command = [_program("sam"), "deploy", *PROFILE, "--template-file", str(template)]
    command += [
        "--stack-name",
        stack_name,
        "--parameter-overrides",
        *(f"{name}={value}" for name, value in values.items()),
    ]
    command += options
    whole = _sam_environment(folder, environment or aws.environment())
    run(command, environment=whole, log=folder / f"sam-deploy-{stack_name}.log")
    described = aws.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    return EmbeddedStack(stack_name, aws.region, aws.endpoint_url, aws.execute_api_url(outputs["ApiUrl"]), outputs)


def _sam_environment(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Add what keeps SAM quick and quiet: no telemetry, no look for newer versions, state of its
    own, short polls.
    """
    state = folder / "sam"
    state.mkdir(parents=True, exist_ok=True)
    (state / "metadata.json").write_text(json.dumps({"telemetryEnabled": False, "lastVersionCheck": time.time()}))
    return {
        **environment,
        "__SAM_CLI_APP_DIR": str(state),
        "SAM_CLI_TELEMETRY": "0",
        # Five seconds by default, before each of three polls.
        "SAM_CLI_POLL_DELAY": "0.2",
    }


def _program(name: str) -> str:
    """Give the path of a program of this environment."""
    return str(Path(sys.executable).with_name(name))
