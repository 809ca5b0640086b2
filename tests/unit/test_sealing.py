"""What is sealed opens where it was sealed for, and nowhere else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from reassort.sealing import Opener, Sealer, address_context, payload_context

from local.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = "claire.martin@ac-dijon.fr"


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Sealer, Opener]]:
    """One who seals and one who opens, under one key."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        kms = boto3.client("kms", region_name="eu-west-3")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        yield Sealer(kms, key), Opener(kms, key)


@pytest.mark.req("S8", "I7")
def test_an_address_opens_for_its_voter_alone(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    sealed = sealer.seal_address("claire", ADDRESS)
    assert opener.open_address("claire", sealed) == ADDRESS
    with pytest.raises(ClientError):
        opener.open_address("paul", sealed)


@pytest.mark.req("S8", "I7")
def test_a_payload_opens_for_its_delivery_alone(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    sealed = sealer.seal_payload("one", {"code": "123456"})
    assert opener.open_payload("one", sealed) == {"code": "123456"}
    with pytest.raises(ClientError):
        opener.open_payload("other", sealed)


@pytest.mark.req("S8")
def test_an_address_is_no_payload_and_no_payload_an_address(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    with pytest.raises(ClientError):
        opener.open_payload("same", sealer.seal_address("same", "{}"))
    with pytest.raises(ClientError):
        opener.open_address("same", sealer.seal_payload("same", {}))


@pytest.mark.req("S8")
def test_contexts_say_what_the_roles_are_bound_to() -> None:
    """The local stack leaves these conditions out: a seal without what one asks for fails in a real
    account alone.
    """
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    wanted = set(re.findall(r"kms:EncryptionContext:(kind|voter|delivery)\b", template))
    assert wanted == {*address_context("claire"), *payload_context("one")}
    kinds = {context["kind"] for context in (address_context("claire"), payload_context("one"))}
    # Operators have a kind of their own, for what they print (`roll issue`).
    assert set(re.findall(r"kms:EncryptionContext:kind: (\w+)", template)) - {"issue"} == kinds
