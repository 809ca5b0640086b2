"""Each check of a deployed stack says what is wrong with it: one answer of AWS, of the site or of
the DNS, one line of the result.

More than 400 lines, because it is a table with an answer for each check.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from reassort_ops.account.checks import State

from tests.unit.ops.check.account import API, DISTRIBUTION, PAGE, SITE, Account, Names, page, problem
from tests.unit.ops.check.changes import Change, answered, both, refused

NOTIFY = "reassort-NotifyFunction-Qx7Zr2LkP0aB"
ENCRYPTION_KEY = "1a2b3c4d-1111-4222-8333-abcdefabcde1"
VOTER_HASH_KEY = "1a2b3c4d-1111-4222-8333-abcdefabcde2"
VOTERS = "reassort-VotersTable-1M2N3B4V5C6X"
REGISTER = "reassort-RegisterTable-1M2N3B4V5C6X"
NO_ROUTE = f"{SITE}/api/there-is-no-such-route"


def stack(**members: Any) -> Change:
    """Have CloudFormation say something else of the stack; `parameters` replace some of its own."""
    parameters = members.pop("parameters", {})

    def change(account: Account) -> None:
        found = account.answers.of_stack()
        for one in found["Parameters"]:
            one["ParameterValue"] = parameters.get(one["ParameterKey"], one["ParameterValue"])
        account.answers.change("cloudformation", "DescribeStacks", {"Stacks": [{**found, **members}]})

    return change


def named(
    texts: dict[str, list[str]] | None = None,
    aliases: dict[str, list[str]] | None = None,
    addresses: dict[str, set[str]] | None = None,
) -> Change:
    """Put other records into the DNS."""

    def change(account: Account) -> None:
        names = account.names
        account.names = Names(
            names.texts_of if texts is None else texts,
            names.aliases_of if aliases is None else aliases,
            names.addresses_of if addresses is None else addresses,
        )

    return change


def served(url: str, answer: httpx.Response | Exception) -> Change:
    """Have the site or the API answer something else."""
    return lambda account: account.web.__setitem__(url, answer)


def stage(**members: Any) -> Change:
    """Have the gateway say something else of its stage."""

    def change(account: Account) -> None:
        found = account.answers.stored("apigateway", "GetStages")["item"][0]
        account.answers.change("apigateway", "GetStages", {"item": [{**found, **members}]})

    return change


def alarm(name: str, **members: Any) -> Change:
    """Have CloudWatch say something else of an alarm."""

    def change(account: Account) -> None:
        found = account.answers.stored("cloudwatch", "DescribeAlarms")["MetricAlarms"]
        changed = [{**one, **members} if name in one["AlarmName"] else one for one in found]
        account.answers.change("cloudwatch", "DescribeAlarms", {"MetricAlarms": changed})

    return change


def rights(role: str, action: str, resource: str) -> Change:
    """Turn one right of a role round."""
    return lambda account: setattr(account, "wrongly", lambda *asked: asked == (role, action, resource))


def second_stage(account: Account) -> None:
    """Leave a second stage behind, as SAM does unless it is told not to."""
    found = account.answers.stored("apigateway", "GetStages")["item"]
    account.answers.change("apigateway", "GetStages", {"item": [{**found[0], "stageName": "Stage"}, *found]})


def api_key(account: Account) -> None:
    """Have one method ask for an API key."""
    items = account.answers.stored("apigateway", "GetResources")["items"]
    items[2]["resourceMethods"]["POST"]["apiKeyRequired"] = True
    account.answers.change("apigateway", "GetResources", {"items": items})


def trigger_off(account: Account) -> None:
    """Disable a trigger."""
    (mapping, *others) = account.answers.stored("lambda", "ListEventSourceMappings", FunctionName=NOTIFY)[
        "EventSourceMappings"
    ]
    changed = [{**mapping, "State": "Disabled"}, *others]
    account.answers.change("lambda", "ListEventSourceMappings", {"EventSourceMappings": changed}, FunctionName=NOTIFY)


FAULTS: dict[str, list[tuple[Change, str]]] = {
    "Stack: deployed whole": [(stack(StackStatus="UPDATE_ROLLBACK_FAILED"), "UPDATE_ROLLBACK_FAILED")],
    "Stack: termination protection": [(stack(EnableTerminationProtection=False), "off")],
    "API: no method asks for an API key": [(api_key, "asked by POST /api/login")],
    "API: one stage": [(second_stage, "Stage, v1")],
    "API: access log": [(stage(accessLogSettings={}), "none")],
    "API: throttle": [
        (stage(methodSettings={}), "none"),
        (stage(methodSettings={"*/*": {"throttlingRateLimit": -1.0, "throttlingBurstLimit": -1}}), "none"),
    ],
    "API: firewall on the stage": [
        (answered("apigateway", "GetStages", {"item": [{"stageName": "v1"}]}), "none"),
        (
            stage(webAclArn="arn:aws:wafv2:eu-west-3:123456789012:regional/webacl/another/0c1d2e3f-ffff"),
            "another",
        ),
    ],
    "Site: API called around CloudFront": [
        (served(f"{API}/api/reissue", problem(401, "signed-out", "Vous n’êtes pas connecté")), "401 signed-out"),
    ],
    "Site: API called through CloudFront": [
        (served(f"{SITE}/api/reissue", problem(403, "refused", "Demande arrêtée")), "403 refused"),
    ],
    "Site: refusals of the API are French JSON": [
        (served(NO_ROUTE, page(404, PAGE)), "no such route: 404 of type text/html"),
        (served(NO_ROUTE, problem(403, "refused", "Demande refus?e, la demande n?a pas ??")), "without accents"),
        (served(f"{API}/api/reissue", problem(403, "refused", "Demande arrÃªtÃ©e")), "firewall: 403 without accents"),
        (served(NO_ROUTE, problem(200, "", "é")), "no such route: 200"),
    ],
    "Site: missing page": [
        (
            served(f"{SITE}/there-is-no-such-page.html", page(403, "<Error/>", content_type="application/xml")),
            "403, 8 bytes",
        ),
        (served(f"{SITE}/there-is-no-such-page.html", page(200, PAGE)), "200, the French page"),
    ],
    "Site: security headers": [
        (
            served(f"{SITE}/index.html", page(200, PAGE, strict_transport_security="max-age=300")),
            "strict-transport-security",
        ),
        (
            served(f"{SITE}/index.html", page(200, PAGE, content_security_policy="default-src 'self'")),
            "content-security-policy",
        ),
    ],
    "Site: uploaded, of the stack's election": [
        (served(f"{SITE}/index.html", page(200, PAGE.replace("normandie-2026", "dijon-2018"))), "election dijon-2018"),
        (served(f"{SITE}/index.html", page(403, "<Error/>")), "403, no election named"),
    ],
    "Site: DNS of the domain": [
        (
            named(aliases={}, addresses={"vote.example.fr": {"203.0.113.9"}, DISTRIBUTION: {"192.0.2.1"}}),
            "203.0.113.9",
        ),
        (
            named(aliases={}, addresses={}),
            "no record",
        ),
    ],
    "Alarms: each watches something of this stack": [
        (
            alarm("OutboxAgeAlarm", Dimensions=[{"Name": "FunctionName", "Value": "another"}]),
            "OutboxAgeAlarm (FunctionName=another)",
        ),
        (answered("apigateway", "GetRestApi", {"name": "Réassort"}), "ApiFaultsAlarm (ApiName=reassort)"),
    ],
    "Alarms: each metric is emitted": [
        (
            answered(
                "cloudwatch",
                "ListMetrics",
                {
                    "Metrics": [
                        {
                            "Namespace": "reassort",
                            "MetricName": "FailurePercent",
                            "Dimensions": [{"Name": "channel", "Value": "sms"}, {"Name": "reason", "Value": "x"}],
                        }
                    ]
                },
                MetricName="FailurePercent",
            ),
            "emitted with other dimensions: SmsFailuresAlarm",
        ),
    ],
    "Alarms: each tells somebody": [
        (alarm("WaitingAlarm", ActionsEnabled=False), "switched off: WaitingAlarm"),
        (alarm("ApiFaultsAlarm", AlarmActions=[]), "without action: ApiFaultsAlarm"),
    ],
    "Alarms: CloudWatch could tell them": [
        (
            answered(
                "cloudwatch",
                "DescribeAlarmHistory",
                {
                    "AlarmHistoryItems": [
                        {
                            "AlarmName": "reassort-WaitingAlarm",
                            "Timestamp": "2026-11-13T10:00:01Z",
                            "HistoryItemType": "Action",
                            "HistorySummary": "Failed to execute action "
                            "arn:aws:sns:eu-west-3:123456789012:reassort-AlarmTopic",
                        }
                    ]
                },
            ),
            "WaitingAlarm: Failed to execute action",
        ),
    ],
    "Alarms: subscriptions confirmed": [
        (
            answered(
                "sns",
                "ListSubscriptionsByTopic",
                {"Subscriptions": [{"SubscriptionArn": "PendingConfirmation", "Protocol": "email"}]},
            ),
            "to be confirmed: AlarmTopic, HelpdeskTopic",
        ),
        (answered("sns", "ListSubscriptionsByTopic", {"Subscriptions": []}), "nobody hears AlarmTopic"),
    ],
    "Messages: DKIM": [
        (answered("sesv2", "GetEmailIdentity", {"DkimAttributes": {"Status": "PENDING"}}), "PENDING"),
        (answered("sesv2", "GetEmailIdentity", {"DkimAttributes": {"SigningEnabled": False}}), "signing is off"),
    ],
    "Messages: SPF": [
        (
            named(texts={"vote.example.fr": ["v=spf1 mx -all", "v=spf1 include:amazonses.com ~all"]}),
            "v=spf1 mx -all | v=spf1 include:amazonses.com ~all",
        ),
        (
            answered(
                "sesv2", "GetEmailIdentity", {"MailFromAttributes": {"MailFromDomain": "bounces.vote.example.fr"}}
            ),
            "none",
        ),
    ],
    "Messages: DMARC": [(named(texts={}), "none")],
    "Messages: SNS logs what became of SMS": [
        (answered("sns", "GetSMSAttributes", {"attributes": {"DeliveryStatusIAMRole": None}}), "no role"),
        (answered("sns", "GetSMSAttributes", {"attributes": {"DeliveryStatusSuccessSamplingRate": "10"}}), "10 %"),
    ],
    "Messages: these logs reach the stack": [
        (answered("logs", "DescribeSubscriptionFilters", {"subscriptionFilters": []}), "none from sns/eu-west-3"),
    ],
    "Protection: keys enabled": [
        (
            answered(
                "kms",
                "DescribeKey",
                {"KeyMetadata": {"KeyState": "Disabled", "Enabled": False}},
                KeyId=VOTER_HASH_KEY,
            ),
            "VoterHashKey is Disabled",
        ),
        (
            answered(
                "kms",
                "DescribeKey",
                {"KeyMetadata": {"KeyState": "PendingDeletion", "DeletionDate": "2026-12-08T09:00:00Z"}},
                KeyId=VOTER_HASH_KEY,
            ),
            "VoterHashKey will be deleted on 2026-12-08",
        ),
    ],
    "Protection: keys rotated where KMS can": [
        (answered("kms", "GetKeyRotationStatus", {"KeyRotationEnabled": False}), "off: EncryptionKey"),
    ],
    "Protection: tables refuse to be deleted": [
        (
            answered("dynamodb", "DescribeTable", {"Table": {"DeletionProtectionEnabled": None}}, TableName=VOTERS),
            "off: VotersTable",
        ),
    ],
    "Protection: tables under the stack's key": [
        (
            answered("dynamodb", "DescribeTable", {"Table": {"SSEDescription": None}}, TableName=REGISTER),
            "another key: RegisterTable",
        ),
    ],
    "Protection: tables recoverable to any second": [
        (
            answered(
                "dynamodb",
                "DescribeContinuousBackups",
                {
                    "ContinuousBackupsDescription": {
                        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"}
                    }
                },
            ),
            "off: CodeDeliveriesTable, ControlTable, DeliveriesTable",
        ),
    ],
    "Roles: LoginRole": [
        (rights("LoginRole", "dynamodb:GetItem", "VotersTable"), "dynamodb:GetItem on VotersTable is allowed"),
        (rights("LoginRole", "kms:GenerateMac", "VoterHashKey"), "kms:GenerateMac on VoterHashKey is refused"),
    ],
    "Roles: ReissueRole": [
        (rights("ReissueRole", "kms:Decrypt", "EncryptionKey"), "kms:Decrypt on EncryptionKey is allowed"),
    ],
    "Roles: NotifyRole": [(rights("NotifyRole", "ses:SendEmail", "sender"), "ses:SendEmail on sender is refused")],
    "Roles: RegistryRole": [
        (rights("RegistryRole", "dynamodb:UpdateItem", "VotersTable"), "dynamodb:UpdateItem on VotersTable is refused"),
    ],
    "Roles: HelpdeskRole": [
        (rights("HelpdeskRole", "kms:Decrypt", "EncryptionKey"), "kms:Decrypt on EncryptionKey is allowed"),
    ],
    "Roles: AnnounceRole": [(rights("AnnounceRole", "iam:ListRoles", "*"), "iam:ListRoles on * is allowed")],
    "Functions: active": [
        (
            answered("lambda", "GetFunctionConfiguration", {"State": "Failed"}, FunctionName=NOTIFY),
            "NotifyFunction is Failed/Successful",
        ),
        (
            answered("lambda", "GetFunctionConfiguration", {"LastUpdateStatus": "Failed"}, FunctionName=NOTIFY),
            "Active/Failed",
        ),
    ],
    "Functions: one architecture, layer included": [
        (
            answered("lambda", "GetLayerVersionByArn", {"CompatibleArchitectures": ["x86_64"]}),
            "SharedLayer5f0b7c2d1e x86_64",
        ),
    ],
    "Functions: triggers enabled": [(trigger_off, "table/reassort-CodeDeliveriesTable-1M2N3B4V5C6X is Disabled")],
    "Functions: delivery may call itself": [
        (answered("lambda", "GetFunctionRecursionConfig", {"RecursiveLoop": "Terminate"}), "Terminate"),
    ],
    "Functions: reserved concurrency of the registry": [
        (answered("lambda", "GetFunctionConcurrency", {"ReservedConcurrentExecutions": None}), "0"),
    ],
    "Canaries: email": [
        (
            answered(
                "cloudwatch",
                "GetMetricStatistics",
                {"Datapoints": [{"Timestamp": "2026-11-20T09:55:00Z", "Maximum": 2.0}]},
                MetricName="CanariesMissing",
            ),
            "2 missing, the slowest took 7 s",
        ),
    ],
}


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [(name, change, found) for name, rows in FAULTS.items() for change, found in rows],
    ids=[f"{name}: {found}" for name, rows in FAULTS.items() for _, found in rows],
)
def test_what_is_wrong_is_said_and_where_to_mend_it(account: Account, name: str, change: Change, found: str) -> None:
    change(account)
    check = account.after(name)[name]
    assert (check.state, found in check.found) == (State.FAILED, True), check
    assert check.expected
    assert check.remedy == f"docs/deploy.md#{check.subject.section}"


def test_every_check_has_a_fault_that_it_finds(account: Account) -> None:
    # What is told of canaries by SMS is what is told of those by e-mail.
    assert account.after().keys() - FAULTS.keys() == {"Canaries: sms"}


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        ("API: one stage", refused("apigateway", "GetStages", "AccessDeniedException"), "not permitted: GetStages"),
        (
            "Roles: LoginRole",
            refused(
                "iam",
                "SimulatePrincipalPolicy",
                "AccessDenied",
                "User: arn:aws:iam::123456789012:user/x is not authorized to perform: "
                "iam:SimulatePrincipalPolicy on resource: …",
            ),
            "not permitted: iam:SimulatePrincipalPolicy",
        ),
        (
            "Site: API called through CloudFront",
            served(f"{SITE}/api/reissue", httpx.ConnectTimeout("timed out")),
            "no answer: timed out",
        ),
        (
            "Alarms: each metric is emitted",
            answered("cloudwatch", "ListMetrics", {"Metrics": []}),
            "nothing emitted yet for 5 of 6",
        ),
        (
            "Alarms: CloudWatch could tell them",
            answered("cloudwatch", "DescribeAlarmHistory", {"AlarmHistoryItems": []}),
            "no alarm has told anybody yet",
        ),
        ("Messages: SPF", named(texts={}), "none is asked for"),
        (
            "Stack: termination protection",
            stack(EnableTerminationProtection=False, parameters={"DeletionProtection": "false"}),
            "DeletionProtection=false",
        ),
        (
            "Protection: tables refuse to be deleted",
            both(
                stack(parameters={"DeletionProtection": "false"}),
                answered("dynamodb", "DescribeTable", {"Table": {"DeletionProtectionEnabled": False}}),
            ),
            "DeletionProtection=false",
        ),
        ("Canaries: email", lambda account: setattr(account, "election_is_there", False), "from its layer"),
        ("Canaries: email", lambda account: setattr(account, "now", datetime(2026, 11, 1, tzinfo=UTC)), "2026-11-08"),
        ("Canaries: email", answered("cloudwatch", "GetMetricStatistics", {"Datapoints": []}), "nothing measured"),
        ("Messages: DKIM", lambda account: setattr(account, "elsewhere", "http://127.0.0.1:4566"), "stands in for AWS"),
    ],
)
def test_what_cannot_be_seen_says_why(account: Account, name: str, change: Change, found: str) -> None:
    change(account)
    check = account.after(name)[name]
    assert (check.state, found in check.found) == (State.UNSEEN, True), check


def test_a_condition_that_no_context_was_given_for_is_not_judged(account: Account) -> None:
    account.missing_context = ("aws:PrincipalTag/x",)
    check = account.after("Roles: NotifyRole")["Roles: NotifyRole"]
    assert (check.state, "wants aws:PrincipalTag/x" in check.found) == (State.UNSEEN, True)


def test_an_alias_leads_to_the_distribution_as_well(account: Account) -> None:
    account.names.aliases_of.clear()
    account.names.addresses_of["vote.example.fr"] = set(account.names.addresses_of[DISTRIBUTION])
    assert account.after("Site: DNS of the domain")["Site: DNS of the domain"].state is State.PASSED


def test_the_check_asks_nobody_but_aws_where_something_stands_in_for_it(account: Account) -> None:
    account.elsewhere = "http://127.0.0.1:4566"
    account.web.clear()
    checks = account.after()
    assert {one.state for name, one in checks.items() if name.startswith("Site")} == {State.UNSEEN}
    assert {one.state for name, one in checks.items() if name.startswith("Roles")} == {State.PASSED}


def test_a_stack_without_a_voting_platform_has_its_roles_judged(account: Account) -> None:
    root: dict[str, Any] = {"StackName": "reassort"}
    listed = account.answers.stored("cloudformation", "ListStackResources", **root)["StackResourceSummaries"]
    left = [one for one in listed if one["LogicalResourceId"] != "VotingPlatformRole"]
    assert len(left) == len(listed) - 1
    account.answers.change("cloudformation", "ListStackResources", {"StackResourceSummaries": left}, **root)
    checks = account.after()
    assert {one.state for name, one in checks.items() if name.startswith("Roles")} == {State.PASSED}
