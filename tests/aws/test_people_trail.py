"""The record of what people do (`account.yaml`): what protects it, and that a slip is seen. Each
protection is taken away in turn from a copy. Then which events it takes, tried on events as
CloudTrail writes them.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.test_deployment_rights import ACCOUNT, HERE, account, resolved

if TYPE_CHECKING:
    from collections.abc import Iterator

type Json = dict[str, Any]

pytestmark = pytest.mark.req("O11")
_TRAIL = "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/${StackName}-people"
_DAYS = {"Ref": "TrailDays"}
_CLOSED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
# What stands at a place of the template's resources.
PROTECTED: dict[tuple[str | int, ...], Any] = {
    ("PeopleTrail", "Properties", "IsLogging"): True,
    ("PeopleTrail", "Properties", "IsMultiRegionTrail"): True,
    ("PeopleTrail", "Properties", "IncludeGlobalServiceEvents"): True,
    ("PeopleTrail", "Properties", "EnableLogFileValidation"): True,
    ("PeopleTrail", "Properties", "KMSKeyId"): {"Fn::GetAtt": "TrailKey.Arn"},
    ("PeopleTrail", "Properties", "S3BucketName"): {"Ref": "TrailBucket"},
    ("PeopleTrail", "DependsOn"): "TrailBucketPolicy",
    ("TrailBucket", "UpdateReplacePolicy"): "Retain",
    ("TrailBucket", "DeletionPolicy"): "RetainExceptOnCreate",
    ("TrailBucket", "Properties", "PublicAccessBlockConfiguration"): _CLOSED,
    ("TrailBucket", "Properties", "OwnershipControls"): {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    ("TrailBucket", "Properties", "VersioningConfiguration"): {"Status": "Enabled"},
    ("TrailBucket", "Properties", "ObjectLockEnabled"): True,
    ("TrailBucket", "Properties", "ObjectLockConfiguration"): {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": _DAYS}},
    },
    ("TrailBucket", "Properties", "LifecycleConfiguration", "Rules", 0, "ExpirationInDays"): _DAYS,
    ("TrailKey", "UpdateReplacePolicy"): "Retain",
    ("TrailKey", "DeletionPolicy"): "RetainExceptOnCreate",
    ("TrailKey", "Properties", "EnableKeyRotation"): True,
    ("ArtefactBucket", "Properties", "PublicAccessBlockConfiguration"): _CLOSED,
    ("ArtefactBucket", "Properties", "VersioningConfiguration"): {"Status": "Enabled"},
    **{
        (policy, "Properties", "PolicyDocument", "Statement", number, "Condition"): {
            "Bool": {"aws:SecureTransport": "false"}
        }
        for policy, number in (("TrailBucketPolicy", 2), ("ArtefactBucketPolicy", 0))
    },
}


def _at(resources: Json, place: tuple[str | int, ...]) -> Any:
    part: Any = resources
    for step in place:
        part = part.get(step) if isinstance(part, dict) else part[step]
    return part


def _statement_faults(resources: Json) -> Iterator[str]:
    """Yield what CloudTrail may do for another trail, and where."""
    for name, document in (("TrailBucketPolicy", "PolicyDocument"), ("TrailKey", "KeyPolicy")):
        for number, one in enumerate(resources[name]["Properties"][document]["Statement"]):
            if one["Principal"] == {"Service": "cloudtrail.amazonaws.com"}:
                named = one.get("Condition", {}).get("StringEquals", {}).get("aws:SourceArn")
                if named != {"Fn::Sub": _TRAIL}:
                    yield f"{name} {number}: any trail"


def faults(template: Json) -> list[str]:
    """Return what of the record is not protected."""
    resources = template["Resources"]
    found = [".".join(map(str, place)) for place, value in PROTECTED.items() if _at(resources, place) != value]
    conditions = [resources[name].get("Condition") for name in ("PeopleTrail", "TrailBucket", "TrailKey")]
    found += [] if conditions == ["OwnTrail"] * 3 else ["Condition"]
    parameter = template["Parameters"]["Trail"]
    found += [] if parameter["Default"] == "own" else ["the trail is off by default"]
    return [*found, *_statement_faults(resources)]


def test_the_record_is_protected() -> None:
    assert faults(account()) == []


_SLIPS = [
    *PROTECTED,
    *(("TrailBucketPolicy", "Properties", "PolicyDocument", "Statement", number, "Condition") for number in (0, 1)),
    *(("TrailKey", "Properties", "KeyPolicy", "Statement", number, "Condition") for number in (1, 2)),
    ("TrailBucket", "Condition"),
]


@pytest.mark.parametrize("place", _SLIPS, ids=lambda place: ".".join(map(str, place)))
def test_a_slip_of_the_record_is_seen(place: tuple[str | int, ...]) -> None:
    template = deepcopy(account())
    del _at(template["Resources"], place[:-1])[place[-1]]
    assert faults(template)


def _field(event: Json, name: str) -> str:
    value: Any = event
    for step in name.split("."):
        value = value.get(step, "")
    return str(value)


def _takes(selector: Json, event: Json) -> bool:
    """Tell whether a selector takes an event: all of its fields fit, each by one of its values.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
    """
    fits = {
        "Equals": lambda value, said: value == said,
        "StartsWith": lambda value, said: value.startswith(said),
    }
    for field in selector["FieldSelectors"]:
        value = _field(event, field["Field"])
        for operator, said in field.items():
            if operator == "Field":
                continue
            fit = any(fits[operator.removeprefix("Not")](value, one) for one in said)
            if fit is operator.startswith("Not"):
                return False
    return True


_TABLES = f"arn:aws:dynamodb:{HERE}:table/"
_PERSON = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Exploitation/anne"
_FUNCTION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reassort-ReissueRole-1/reassort-ReissueFunction-1"


def _data(kind: str, arn: str, who: str = _PERSON, name: str = "GetItem") -> Json:
    return {
        "eventCategory": "Data",
        "eventName": name,
        "resources": {"type": kind, "ARN": arn},
        "userIdentity": {"arn": who},
    }


@pytest.mark.parametrize(
    ("event", "taken"),
    [
        (_data("AWS::DynamoDB::Table", f"{_TABLES}reassort-VotersTable-1"), True),
        (_data("AWS::DynamoDB::Table", f"{_TABLES}reassort-RegisterTable-1", name="DeleteItem"), True),
        (_data("AWS::DynamoDB::Table", f"{_TABLES}reassort-VotersTable-1", f"arn:aws:iam::{ACCOUNT}:user/root"), True),
        (_data("AWS::DynamoDB::Stream", f"{_TABLES}reassort-RegisterTable-1/stream/1"), True),
        (_data("AWS::Lambda::Function", f"arn:aws:lambda:{HERE}:function:reassort-HelpdeskFunction-1"), True),
        (_data("AWS::S3::Object", "arn:aws:s3:::reassort-account-trailbucket-1/AWSLogs/1", name="GetObject"), True),
        # What functions do is in the register, and would put the pseudonym of each voter here.
        (_data("AWS::DynamoDB::Table", f"{_TABLES}reassort-VotersTable-1", _FUNCTION), False),
        (_data("AWS::DynamoDB::Table", f"{_TABLES}other"), False),
        (_data("AWS::S3::Object", "arn:aws:s3:::reassort-account-trailbucket-1/AWSLogs/1", name="PutObject"), False),
        ({"eventCategory": "Management", "eventSource": "kms.amazonaws.com", "eventName": "Sign"}, True),
        ({"eventCategory": "Management", "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole"}, True),
    ],
    ids=lambda one: f"{one['eventName']} {one.get('resources', {}).get('type', '')}" if isinstance(one, dict) else "",
)
def test_the_record_takes_what_people_do_and_leaves_what_the_service_does(event: Json, taken: bool) -> None:
    selectors = resolved(account()["Resources"]["PeopleTrail"]["Properties"]["AdvancedEventSelectors"])
    assert any(_takes(selector, event) for selector in selectors) is taken


def test_a_selector_names_its_category_and_a_type_that_aws_lists() -> None:
    selectors = resolved(account()["Resources"]["PeopleTrail"]["Properties"]["AdvancedEventSelectors"])
    for selector in selectors:
        fields = {field["Field"]: field for field in selector["FieldSelectors"]}
        (category,) = fields["eventCategory"]["Equals"]
        assert category in {"Management", "Data"}
        assert ("resources.type" in fields) is (category == "Data")
