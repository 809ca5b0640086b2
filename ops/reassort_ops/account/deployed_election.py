"""The election that a deployed stack runs with, read from the layer that its functions share.

A folder of this machine may hold another year's file, or one that was changed since the deploy. The
layer holds what the functions read, so no command takes a folder's file for the truth.
"""

from __future__ import annotations

import io
import urllib.request
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from reassort.election import Election, Part, election_from_json

from reassort_ops.election_files import election_of
from reassort_ops.failures import OperatorError
from reassort_ops.language import joined, tr

if TYPE_CHECKING:
    from pathlib import Path

    from reassort_ops.account.stack import Aws

# Where the build puts the election, in any layer of Python.
_IN_LAYER = "/reassort/elections/{id}.json"
_SECONDS = 60
_NAMED = 4
_TOO_OLD = tr("the stack does not say which layer it runs with: deploy this version of the service, then run it again")


def deployed_election(aws: Aws, election_id: str, layer_arn: str) -> Election:
    """Return the election that the functions of a stack run with, by two outputs of the stack.

    Raises:
        OperatorError: the stack is older than its output `SharedLayerArn`, the operator may not
            read the layer, or it does not hold the election.
    """
    return deployed_parts(aws, election_id, layer_arn).election


@dataclass(frozen=True)
class DeployedParts:
    """What the layer of a stack holds. `election_sha256` is of the file that the functions read
    their election from, hexadecimal; `layer_sha256` is of the whole layer, in base64 as AWS writes
    it.
    """

    election: Election
    election_sha256: str
    layer_sha256: str


def deployed_parts(aws: Aws, election_id: str, layer_arn: str) -> DeployedParts:
    """Return the election that the functions of a stack run with, and how what they run can be
    recognised.

    Raises:
        OperatorError: as `deployed_election`.
    """
    if not layer_arn:
        raise OperatorError(_TOO_OLD)
    end = _IN_LAYER.format(id=election_id)
    try:
        archive = layer_archive(aws, layer_arn)
        with zipfile.ZipFile(io.BytesIO(archive)) as layer:
            (name,) = (name for name in layer.namelist() if name.endswith(end))
            content = layer.read(name)
        return DeployedParts(
            election_from_json(content), sha256(content).hexdigest(), b64encode(sha256(archive).digest()).decode()
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDeniedException", "AccessDenied"}:
            raise OperatorError(
                tr("AWS refuses lambda:GetLayerVersion on the stack's layer, which says what election it runs with")
            ) from error
        raise
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise OperatorError(
            tr("{layer_arn} does not hold the election {election_id}", layer_arn=layer_arn, election_id=election_id)
        ) from error


def layer_archive(aws: Aws, arn: str) -> bytes:
    """Return the archive of a layer's version.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
        OSError: the archive cannot be fetched.
    """
    url = aws.client("lambda").get_layer_version_by_arn(Arn=arn)["Content"]["Location"]
    elsewhere = aws.elsewhere()
    if elsewhere is not None:
        # What stands in for AWS may not know its own name.
        url = f"{elsewhere.rstrip('/')}{urlsplit(url).path}"
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - AWS's own link
        content: bytes = answer.read()
        return content


def raise_if_another(stack: str, deployed: Election, folder: Path) -> None:
    """Compare a folder's file of the stack's election with what is deployed.

    Raises:
        OperatorError: they differ; names members and both values.
        ElectionFileError: the folder holds no such file, or it is not valid.
    """
    path = folder / f"{deployed.id}.yaml"
    given = election_from_json(election_of(deployed.id, folder).for_functions())
    found = list(differing(given, deployed))
    if not found:
        return
    named = [
        tr("{name} is {of_file} there, {of_stack} here", name=name, of_file=_shown(of_file), of_stack=_shown(of_stack))
        for name, of_file, of_stack in found
    ]
    if len(named) > _NAMED:
        named[_NAMED:] = [tr("and {count} more", count=len(named) - _NAMED)]
    raise OperatorError(
        tr(
            "{path} is not the election that stack {stack} runs with; nothing was done. {named}. "
            "Without --elections the deployed one holds",
            path=path,
            stack=stack,
            named=joined("; ", named),
        )
    )


def differing(one: Any, other: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Give each member that differs, by its path, with both values."""
    if isinstance(one, Part) and isinstance(other, Part):
        ours, theirs = one.contents(), other.contents()
        for member in ours:
            yield from differing(ours[member], theirs[member], f"{name}.{member}" if name else member)
    elif one != other:
        yield name, one, other


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M %z}"
    if value is None:
        return tr("not given")
    if not isinstance(value, (str, int)):
        return tr("another value")
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
