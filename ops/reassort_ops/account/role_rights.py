"""What each function's role may do, written a second time beside the template on purpose: anyone
who widens a role says so twice.

The permission tests try these calls with the roles' own credentials on the local stack;
`reassort check` has IAM simulate them on a deployed one. Resources are logical ids of the template;
`ANY` is no resource, as an action without one has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

ROLES = ("LoginRole", "ReissueRole", "NotifyRole", "RegistryRole", "AnnounceRole", "HelpdeskRole")
TABLES = (
    "VotersTable",
    "IdentifiersTable",
    "NumensTable",
    "SignInTable",
    "CodeDeliveriesTable",
    "DeliveriesTable",
    "RegisterTable",
    "LimitsTable",
    "ControlTable",
    "PaceTable",
    "HelpdeskRecordTable",
)
TABLE_ACTIONS = (
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:BatchGetItem",
)
ANY = "*"
# The identity and the configuration set that e-mail is sent with, and a telephone number: none is
# one resource of the template.
SENDER = "sender"
PHONE = "phone"

type Context = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Right:
    """A call that a role may make or must be refused. `context` are the keys of IAM's conditions
    that come with such a call.
    """

    action: str
    resource: str
    allowed: bool
    context: Context = field(default_factory=dict, hash=False)


def _granted(**tables: str) -> Mapping[str, frozenset[str]]:
    return MappingProxyType(
        {table: frozenset(f"dynamodb:{action}" for action in tables.get(table, "").split()) for table in TABLES}
    )


# Role → table → actions.
ON_TABLES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "LoginRole": _granted(SignInTable="PutItem UpdateItem DeleteItem", CodeDeliveriesTable="PutItem"),
    "ReissueRole": _granted(
        VotersTable="GetItem BatchGetItem UpdateItem",
        SignInTable="BatchGetItem UpdateItem",
        IdentifiersTable="PutItem",
        RegisterTable="PutItem",
        LimitsTable="GetItem UpdateItem",
        # The operators' record of when reissues may commit.
        ControlTable="BatchGetItem",
        DeliveriesTable="GetItem BatchGetItem PutItem UpdateItem",
    ),
    "NotifyRole": _granted(
        VotersTable="BatchGetItem",
        # What a stranger asked for is removed.
        CodeDeliveriesTable="GetItem BatchGetItem UpdateItem DeleteItem",
        # Canaries are put.
        DeliveriesTable="GetItem BatchGetItem UpdateItem PutItem",
        # Turns to send, and the day's SMS.
        LimitsTable="UpdateItem",
        PaceTable="UpdateItem",
    ),
    "RegistryRole": _granted(
        IdentifiersTable="GetItem UpdateItem", VotersTable="GetItem UpdateItem", RegisterTable="Query PutItem"
    ),
    # The register's stream tells it all it needs.
    "AnnounceRole": _granted(),
    "HelpdeskRole": _granted(
        VotersTable="GetItem UpdateItem",
        IdentifiersTable="PutItem",
        # Which browser is let in; what agents are told of sign-ins.
        SignInTable="Query UpdateItem",
        RegisterTable="Query PutItem",
        ControlTable="GetItem",
        CodeDeliveriesTable="BatchGetItem",
        DeliveriesTable="GetItem BatchGetItem PutItem UpdateItem",
        HelpdeskRecordTable="GetItem BatchGetItem PutItem UpdateItem Query",
    ),
}

_NOBODY = "nobody"

# Action and resource → the roles that have it. No other role of ROLES has.
HELD: Mapping[tuple[str, str], frozenset[str]] = {
    ("kms:GenerateMac", "VoterHashKey"): frozenset({"LoginRole", "HelpdeskRole"}),
    ("kms:GenerateMac", "SignInHashKey"): frozenset({"LoginRole", "ReissueRole"}),
    ("kms:GenerateMac", "ProofHashKey"): frozenset({"ReissueRole"}),
    ("kms:GenerateMac", "ReissueHashKey"): frozenset({"ReissueRole", "HelpdeskRole"}),
    ("kms:GenerateMac", "IdentifierHashKey"): frozenset({"ReissueRole", "RegistryRole", "HelpdeskRole"}),
    ("kms:GenerateMac", "HandleHashKey"): frozenset({"RegistryRole", "AnnounceRole"}),
    # Delivery seals canaries alone: see SEALED.
    ("kms:Encrypt", "EncryptionKey"): frozenset({"LoginRole", "ReissueRole", "NotifyRole", "HelpdeskRole"}),
    ("kms:Decrypt", "EncryptionKey"): frozenset({"NotifyRole"}),
    # The election bureau's signature is an operator's to give.
    ("kms:Sign", "RegisterKey"): frozenset(),
    ("kms:DescribeKey", "RegisterKey"): frozenset({"NotifyRole"}),
    ("kms:DescribeKey", "EncryptionKey"): frozenset({"NotifyRole"}),
    ("kms:ScheduleKeyDeletion", "EncryptionKey"): frozenset(),
    ("dynamodb:ConditionCheckItem", "VotersTable"): frozenset({"LoginRole"}),
    ("dynamodb:ConditionCheckItem", "ControlTable"): frozenset({"ReissueRole", "HelpdeskRole"}),
    ("sqs:SendMessage", "RetryQueue"): frozenset({"NotifyRole"}),
    ("sqs:SendMessage", "PlatformDeadLetters"): frozenset({"AnnounceRole"}),
    ("sns:Publish", "PlatformTopic"): frozenset({"AnnounceRole"}),
    ("sns:Publish", "HelpdeskTopic"): frozenset({"NotifyRole"}),
    ("sns:Publish", "ReceiptsTopic"): frozenset(),
    ("sns:Publish", "AlarmTopic"): frozenset(),
    ("sns:Publish", PHONE): frozenset({"NotifyRole"}),
    ("ses:SendEmail", SENDER): frozenset({"NotifyRole"}),
    # What operates the service.
    ("dynamodb:DeleteTable", "LimitsTable"): frozenset(),
    ("dynamodb:ListTables", ANY): frozenset(),
    ("iam:ListRoles", ANY): frozenset(),
    ("sts:AssumeRole", "VotingPlatformRole"): frozenset(),
    ("s3:ListAllMyBuckets", ANY): frozenset(),
    ("lambda:InvokeFunction", "NotifyFunction"): frozenset(),
}

# What comes with a call of KMS: the encryption context, whose members are condition keys, and by
# which service it comes; none has this name.
_DIRECTLY = {"kms:ViaService": ("none",)}


def _sealing(kind: str, **members: str) -> Context:
    context = {"kind": kind, "voter": _NOBODY, "delivery": _NOBODY, **members}
    return {**{f"kms:EncryptionContext:{name}": (value,) for name, value in context.items()}, **_DIRECTLY}


_PAYLOAD = _sealing("payload")
_SEALED: Mapping[tuple[str, str], Context] = {
    ("LoginRole", "kms:Encrypt"): _sealing("payload", delivery="code-Hd7kWm3pZt9vRc2xNb6yQs"),
    ("ReissueRole", "kms:Encrypt"): _sealing("payload", delivery="7K3M9-QWX2T"),
    ("HelpdeskRole", "kms:Encrypt"): _sealing("payload", delivery="7K3M9-QWX2T"),
    ("NotifyRole", "kms:Encrypt"): _sealing("payload", delivery="canary-ac-dijon_fr-email-0"),
}
# What conditions refuse, though the action is granted on the resource. The local AWS evaluates none
# of these.
BY_CONDITION: Mapping[str, tuple[Right, ...]] = {
    # What a reissue's delivery says, and what a code's says.
    "LoginRole": (Right("kms:Encrypt", "EncryptionKey", False, _sealing("payload", delivery="7K3M9-QWX2T")),),
    "ReissueRole": (
        Right("kms:Encrypt", "EncryptionKey", False, _sealing("payload", delivery="code-Hd7kWm3pZt9vRc2xNb6yQs")),
        Right("kms:Encrypt", "EncryptionKey", False, _sealing("address")),
    ),
    "HelpdeskRole": (
        Right("kms:Encrypt", "EncryptionKey", False, _sealing("payload", delivery="code-Hd7kWm3pZt9vRc2xNb6yQs")),
    ),
    "NotifyRole": (
        Right("kms:Encrypt", "EncryptionKey", False, _PAYLOAD),
        Right("kms:Encrypt", "EncryptionKey", False, _sealing("address")),
        Right("kms:Decrypt", "EncryptionKey", False, _sealing("elsewhere")),
    ),
}


def is_held(role: str, action: str, resource: str) -> bool:
    """Tell whether a role may do something that is no table's item. Raises KeyError when the table
    here says nothing of it.
    """
    return role in HELD[action, resource]


def rights(role: str) -> Iterator[Right]:
    """Return every right of a role and everything that it must be refused."""
    for table in TABLES:
        for action in TABLE_ACTIONS:
            yield Right(action, table, action in ON_TABLES[role][table])
    for (action, resource), roles in HELD.items():
        sealing = action in {"kms:Encrypt", "kms:Decrypt"}
        yield Right(action, resource, role in roles, _SEALED.get((role, action), _PAYLOAD) if sealing else {})
    yield from BY_CONDITION.get(role, ())
