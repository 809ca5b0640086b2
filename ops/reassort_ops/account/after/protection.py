"""Keys and tables that nobody can lose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reassort_ops.account.after.deployed import DeployedStack
from reassort_ops.account.checks import Check, Subject, listed
from reassort_ops.account.probes import NotSeenError, Probe
from reassort_ops.account.reach import Reach

KEYS = Subject("Protection", "keys enabled", "keys")
ROTATION = Subject("Protection", "keys rotated where KMS can", "keys")
DELETION = Subject("Protection", "tables refuse to be deleted", "deletion-protection")
ENCRYPTION = Subject("Protection", "tables under the stack's key", "tables")
RECOVERY = Subject("Protection", "tables recoverable to any second", "tables")
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
            faults.append(f"{name} will be deleted on {ends:%Y-%m-%d}")
        elif metadata["KeyState"] != "Enabled":
            faults.append(f"{name} is {metadata['KeyState']}")
    return KEYS.judged(
        bool(found) and not faults, "Enabled, no deletion waiting", "; ".join(faults) or ", ".join(found)
    )


def rotation(rotated: Mapping[str, bool]) -> Check:
    """Judge whether KMS renews each key that it can renew."""
    if not rotated:
        raise NotSeenError("no key that KMS rotates")
    still = [name for name, on in rotated.items() if not on]
    return ROTATION.judged(
        not still, "on for symmetric keys", f"off: {', '.join(still)}" if still else ", ".join(rotated)
    )


def deletion(tables: Mapping[str, Mapping[str, Any]], *, asked: bool) -> Check:
    """Judge whether every table refuses to be deleted, as far as that was asked for."""
    bare = [name for name, table in tables.items() if not table.get("DeletionProtectionEnabled", False)]
    if bare and not asked:
        return DELETION.unseen("off, as DeletionProtection=false: deploy with true before a real election", "on")
    return DELETION.judged(not bare, "on for every table", f"off: {listed(bare)}" if bare else f"{len(tables)} tables")


def encryption(tables: Mapping[str, Mapping[str, Any]], key: str) -> Check:
    """Judge whether every table is encrypted under the stack's own key, and not under one of
    AWS's.
    """
    others = [name for name, table in tables.items() if table.get("SSEDescription", {}).get("KMSMasterKeyArn") != key]
    found = f"another key: {listed(others)}" if others else f"{len(tables)} tables"
    return ENCRYPTION.judged(not others, "EncryptionKey for every table", found)


def recovery(backups: Mapping[str, Mapping[str, Any]]) -> Check:
    """Judge whether every table can be restored to any second of the last weeks."""
    without = [
        name
        for name, backup in backups.items()
        if backup.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") != "ENABLED"
    ]
    found = f"off: {listed(without)}" if without else f"{len(backups)} tables"
    return RECOVERY.judged(not without, "ENABLED for every table", found)
