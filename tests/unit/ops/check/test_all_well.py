"""An account in which all is as it should be: every check passes, and the policy for operators
grants every call that was made.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

from reassort_ops.account.checks import State

from harness.elections import FOLDER
from tests.unit.ops.check.account import Account, states
from tests.unit.ops.check.answers import SdkCall

POLICY = FOLDER.parent / "ops" / "policies" / "check.json"
# Where IAM's name of an action is not the SDK's of service and operation.
_PREFIXES = {"sesv2": "ses", "pinpoint-sms-voice-v2": "sms-voice"}
_ACTIONS = {SdkCall("lambda", "GetLayerVersionByArn"): "lambda:GetLayerVersion"}


def action_of(call: SdkCall) -> str:
    """Return IAM's action of a call; API Gateway has one for each HTTP method."""
    if call.service == "apigateway":
        return "apigateway:GET"
    return _ACTIONS.get(call) or f"{_PREFIXES.get(call.service, call.service)}:{call.operation}"


def granted() -> list[str]:
    """Return the actions of the operators' policy."""
    statements = json.loads(POLICY.read_text("utf-8"))["Statement"]
    return [
        action
        for statement in statements
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]


def test_before_a_deploy_all_is_well(account: Account) -> None:
    checks = account.before()
    assert {name: one for name, one in checks.items() if one.state is not State.PASSED} == {}
    assert len(checks) == 28


def test_after_a_deploy_all_is_well(account: Account) -> None:
    checks = account.after()
    unseen = {name: one.found for name, one in checks.items() if one.state is not State.PASSED}
    # The election has mailboxes for its canaries, and no handset.
    assert unseen == {"Canaries: sms": "the election has no canary by SMS"}
    assert len(checks) == 42


def test_the_policy_grants_every_call_and_nothing_besides(account: Account) -> None:
    account.before()
    account.after()
    wanted = {action_of(call) for call in account.answers.calls}
    assert wanted == set(granted())
    assert len(granted()) == len(set(granted()))


def test_the_policy_reads_and_does_not_write() -> None:
    reads = re.compile(r"(Get|List|Describe|Simulate)[A-Za-z]+|GET")
    assert [action for action in granted() if not reads.fullmatch(action.partition(":")[2])] == []
    # What would show a secret: an item, a value of a secret, a configuration of CloudFront or of
    # the firewall, which hold one in the clear.
    shown = ("dynamodb:GetItem", "secretsmanager:GetSecretValue", "cloudfront:GetDistribution*", "wafv2:GetWebACL*")
    assert [action for action in granted() for secret in shown if fnmatchcase(action, secret)] == []


def test_every_subject_has_a_section_of_the_document(account: Account) -> None:
    document = (FOLDER.parent / "docs" / "deploy.md").read_text("utf-8")
    anchors = set(re.findall(r'<a id="([a-z-]+)">', document))
    anchors |= {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ ([\w ]+)$", document, re.MULTILINE)}
    checks = [*account.before().values(), *account.after().values()]
    assert {one.subject.section for one in checks} - anchors == set()
    assert states(account.before())["Account: credentials"] is State.PASSED


def test_no_answer_is_kept_for_nothing(account: Account) -> None:
    account.before()
    account.after()
    stored = {
        SdkCall(path.stem, operation)
        for path in sorted((Path(__file__).parent / "answers").glob("*.json"))
        for operation in json.loads(path.read_text("utf-8"))
    }
    assert stored == account.answers.calls - {SdkCall("iam", "SimulatePrincipalPolicy")}
