"""What people with AWS credentials may do, written a second time beside the templates on purpose:
a wider role has to be said twice.

A role is what is attached. Its rights on tables are of requests alone, and of those that come in a
transaction; everything else is a service's action on a resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reassort_ops.account.role_rights import TABLES

# Role → the policies of template.yaml, or of account.yaml for the deployer.
ATTACHED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "operator": ("OperatorPolicy", "ElectionOperatorPolicy"),
        "lead": ("HelpdeskLeadPolicy",),
        "auditor": ("HelpdeskAuditorPolicy",),
        "purger": ("PurgerPolicy",),
        "deployer": ("DeployerPolicy",),
    }
)
PEOPLE = tuple(ATTACHED)


def _granted(**tables: str) -> Mapping[str, frozenset[str]]:
    return MappingProxyType({table: frozenset(tables.get(table, "").split()) for table in TABLES})


_NOTHING = _granted()
# Role → table → actions of DynamoDB, without `dynamodb:`. A purger's scan names what it wants.
ALONE: Mapping[str, Mapping[str, frozenset[str]]] = {
    "operator": _granted(
        VotersTable="BatchGetItem GetItem Scan",
        IdentifiersTable="BatchGetItem GetItem Scan",
        NumensTable="BatchGetItem GetItem",
        DeliveriesTable="BatchGetItem GetItem Scan",
        RegisterTable="BatchGetItem GetItem Query Scan",
        ControlTable="BatchGetItem GetItem",
        PaceTable="GetItem",
        CodeDeliveriesTable="Scan",
        HelpdeskRecordTable="Scan",
    ),
    "lead": _NOTHING,
    "auditor": _NOTHING,
    "purger": MappingProxyType(dict.fromkeys(TABLES, frozenset({"ScanOfKeys", "DeleteItem"}))),
    "deployer": _NOTHING,
}
# What may only come in a transaction, beside what is allowed alone.
TOGETHER: Mapping[str, Mapping[str, frozenset[str]]] = {
    "operator": _granted(
        VotersTable="PutItem UpdateItem",
        IdentifiersTable="PutItem",
        # A NUMEN that was corrected is nobody's.
        NumensTable="PutItem UpdateItem DeleteItem",
        RegisterTable="PutItem",
        ControlTable="PutItem",
        DeliveriesTable="UpdateItem",
    ),
    "lead": _NOTHING,
    "auditor": _NOTHING,
    "purger": _NOTHING,
    "deployer": _NOTHING,
}
_NOBODY: frozenset[str] = frozenset()
_OPERATOR = frozenset({"operator"})
# Action and resource → who may. Nobody else of PEOPLE may. A resource is a logical id, an index
# below one, or `*`.
HELD: Mapping[tuple[str, str], frozenset[str]] = {
    ("kms:GenerateMac", "VoterHashKey"): _OPERATOR,
    ("kms:GenerateMac", "ProofHashKey"): _OPERATOR,
    ("kms:GenerateMac", "IdentifierHashKey"): _OPERATOR,
    ("kms:GenerateMac", "HandleHashKey"): _OPERATOR,
    ("kms:GenerateMac", "SignInHashKey"): _NOBODY,
    ("kms:GenerateMac", "ReissueHashKey"): _NOBODY,
    # What waits to be sent. An import that was interrupted has a context of its own.
    ("kms:Encrypt", "EncryptionKey"): _NOBODY,
    ("kms:Decrypt", "EncryptionKey"): _NOBODY,
    ("kms:Sign", "RegisterKey"): _OPERATOR,
    ("kms:GetPublicKey", "RegisterKey"): _OPERATOR,
    ("kms:ScheduleKeyDeletion", "EncryptionKey"): _NOBODY,
    ("kms:PutKeyPolicy", "EncryptionKey"): _NOBODY,
    ("dynamodb:Query", "DeliveriesTable/index/due"): _OPERATOR,
    ("dynamodb:Query", "CodeDeliveriesTable/index/due"): _OPERATOR,
    ("dynamodb:Query", "DeliveriesTable/index/sms"): _NOBODY,
    ("dynamodb:DescribeTable", "IdentifiersTable"): _OPERATOR,
    ("dynamodb:DeleteTable", "RegisterTable"): _NOBODY,
    ("dynamodb:GetRecords", "RegisterTable.StreamArn"): _NOBODY,
    ("dynamodb:RestoreTableToPointInTime", "RegisterTable"): _NOBODY,
    ("lambda:GetLayerVersion", "SharedLayer"): frozenset({"operator", "purger"}),
    ("lambda:InvokeFunction", "HelpdeskFunction"): _NOBODY,
    ("lambda:UpdateFunctionCode", "NotifyFunction"): _NOBODY,
    ("sqs:GetQueueAttributes", "DeadLetterQueue"): _OPERATOR,
    ("sqs:ReceiveMessage", "DeadLetterQueue"): _OPERATOR,
    ("sqs:DeleteMessage", "DeadLetterQueue"): _OPERATOR,
    ("sqs:SendMessage", "RetryQueue"): _OPERATOR,
    ("sqs:ReceiveMessage", "RetryQueue"): _NOBODY,
    ("sqs:PurgeQueue", "DeadLetterQueue"): _NOBODY,
    ("logs:GetLogEvents", "ReissueLogs"): _NOBODY,
    ("sns:Publish", "PlatformTopic"): _NOBODY,
    ("cloudwatch:GetMetricData", "*"): _OPERATOR,
    ("cloudwatch:DescribeAlarmsForMetric", "*"): _OPERATOR,
    ("cognito-idp:AdminCreateUser", "HelpdeskUsers"): frozenset({"lead"}),
    ("cognito-idp:ListUsers", "HelpdeskUsers"): frozenset({"lead"}),
    ("iam:CreateRole", "*"): _NOBODY,
    ("iam:PassRole", "NotifyRole"): _NOBODY,
    ("s3:ListAllMyBuckets", "*"): _NOBODY,
    ("cloudtrail:StopLogging", "*"): _NOBODY,
}
