"""The template deployed on an embedded AWS, for as long as a test session needs it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.aws import LocalAws, start_aws
from local.deploy import DeployedStack, build, deploy, write_demo_elections
from local.processes import own_folder


@dataclass(frozen=True)
class LocalStack:
    """A deployed stack, the AWS it is on, the built artefacts (`built.parent`/LoginFunction …) and the election files."""

    aws: LocalAws
    stack: DeployedStack
    built: Path
    elections: Path


@contextmanager
def local_stack(
    *, site_origin: str = "http://127.0.0.1:8080", parameters: Mapping[str, str] | None = None
) -> Iterator[LocalStack]:
    """Start an embedded AWS, build and deploy the template on it; end it on leaving.

    Args:
        site_origin: the only origin that state-changing calls may come from.
        parameters: template parameters that differ from the local ones.

    Raises:
        CommandError: the build or the deploy fails.
        LocalAwsError: the embedded AWS does not start.
    """
    with own_folder("stack") as folder, start_aws(folder) as aws:
        elections = write_demo_elections(folder)
        built = build(folder, elections)
        stack = deploy(aws, built, folder, site_origin=site_origin, parameters=parameters)
        yield LocalStack(aws, stack, built, elections)
