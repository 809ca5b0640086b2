"""Keys and tables that nobody can lose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reassort_ops.account.after.deployed import DeployedStack
from reassort_ops.account.checks import Check, Subject, listed
from reassort_ops.account.probes import NotSeenError, Probe
from reassort_ops.account.reach import Reach
from reassort_ops.language import joined, tr, trn

KEYS = Subject(tr("Protection"), tr("keys enabled"), "keys")
ROTATION = Subject(tr("Protection"), tr("keys rotated where KMS can"), "keys")
DELETION = Subject(tr("Protection"), tr("tables refuse to be deleted"), "deletion-protection")
ENCRYPTION = Subject(tr("Protection"), tr("tables under the stack's key"), "tables")
RECOVERY = Subject(tr("Protection"), tr("tables recoverable to any second"), "tables")
# KMS rotates no key for MACs and none that is asymmetric:
# https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
_ROTATED = "SYMMETRIC_DEFAULT"


def probes(reach: Reach, stack: DeployedStack) -> tuple[Probe, ...]:
    """Return the probes of keys and tables."""

    def of_keys() -> Iterator[Check]:
        kms = reach.aws.client("kms")
        found = {
            one.logical_id: kms.describe_key(KeyId=one.physical_id)["KeyMetadata"]
            for one in stack.of_type("AWS::KMS::Key")
        }
        yield keys(found)
        yield rotation(
            {
                name: kms.get_key_rotation_status(KeyId=metadata["KeyId"])["KeyRotationEnabled"]
                for name, metadata in found.items()
                if metadata.get("KeySpec") == _ROTATED
            }
        )

    def of_tables() -> Iterator[Check]:
        dynamodb = reach.aws.client("dynamodb")
        tables = {
            one.logical_id: dynamodb.describe_table(TableName=one.physical_id)["Table"]
            for one in stack.of_type("AWS::DynamoDB::Table")
        }
        yield deletion(tables, asked=stack.parameters.get("DeletionProtection", "true") == "true")
        # The local AWS encrypts nothing, and keeps no backups.
        reach.raise_if_elsewhere()
        yield encryption(tables, stack.arn("EncryptionKey"))
        yield recovery(
            {
                one.logical_id: dynamodb.describe_continuous_backups(TableName=one.physical_id)[
                    "ContinuousBackupsDescription"
                ]
                for one in stack.of_type("AWS::DynamoDB::Table")
            }
        )

    return Probe((KEYS, ROTATION), of_keys), Probe((DELETION, ENCRYPTION, RECOVERY), of_tables)


def keys(found: Mapping[str, Mapping[str, Any]]) -> Check:
    """Judge whether each key works, and none is to be deleted."""
    faults = []
    for name, metadata in found.items():
        ends = metadata.get("DeletionDate")
        if ends is not None:
            faults.append(tr("{name} will be deleted on {ends:%Y-%m-%d}", name=name, ends=ends))
        elif metadata["KeyState"] != "Enabled":
            faults.append(tr("{name} is {state}", name=name, state=metadata["KeyState"]))
    return KEYS.judged(
        bool(found) and not faults, tr("Enabled, no deletion waiting"), joined("; ", faults) or ", ".join(found)
    )


def rotation(rotated: Mapping[str, bool]) -> Check:
    """Judge whether KMS renews each key that it can renew."""
    if not rotated:
        raise NotSeenError(tr("no key that KMS rotates"))
    still = [name for name, on in rotated.items() if not on]
    return ROTATION.judged(
        not still,
        tr("on for symmetric keys"),
        tr("off: {still}", still=", ".join(still)) if still else ", ".join(rotated),
    )


def deletion(tables: Mapping[str, Mapping[str, Any]], *, asked: bool) -> Check:
    """Judge whether every table refuses to be deleted, as far as that was asked for."""
    bare = [name for name, table in tables.items() if not table.get("DeletionProtectionEnabled", False)]
    if bare and not asked:
        return DELETION.unseen(
            tr("off, as DeletionProtection=false: deploy with true before a real election"), tr("on")
        )
    return DELETION.judged(
        not bare,
        tr("on for every table"),
        tr("off: {bare}", bare=listed(bare)) if bare else trn("{count} table", "{count} tables", count=len(tables)),
    )


def encryption(tables: Mapping[str, Mapping[str, Any]], key: str) -> Check:
    """Judge whether every table is encrypted under the stack's own key, and not under one of
    AWS's.
    """
    others = [name for name, table in tables.items() if table.get("SSEDescription", {}).get("KMSMasterKeyArn") != key]
    found = (
        tr("another key: {others}", others=listed(others))
        if others
        else trn("{count} table", "{count} tables", count=len(tables))
    )
    return ENCRYPTION.judged(not others, tr("EncryptionKey for every table"), found)


def recovery(backups: Mapping[str, Mapping[str, Any]]) -> Check:
    """Judge whether every table can be restored to any second of the last weeks."""
    without = [
        name
        for name, backup in backups.items()
        if backup.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") != "ENABLED"
    ]
    found = (
        tr("off: {without}", without=listed(without))
        if without
        else trn("{count} table", "{count} tables", count=len(backups))
    )
    return RECOVERY.judged(not without, tr("ENABLED for every table"), found)
