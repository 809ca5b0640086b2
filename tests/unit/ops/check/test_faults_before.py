"""Each check before a deploy says what is wrong with an account that is not ready: one answer of
AWS, one parameter, one line of the result.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from reassort_ops.account.checks import State

from tests.unit.ops.check.account import Account
from tests.unit.ops.check.changes import Change, answered, both, refused


def given(**parameters: str | None) -> Change:
    """Fill in other parameters; None leaves one out."""

    def change(account: Account) -> None:
        for name, value in parameters.items():
            if value is None:
                account.given.pop(name, None)
            else:
                account.given[name] = value

    return change


def certificate(**members: Any) -> Change:
    """Have ACM answer another certificate."""
    return answered("acm", "DescribeCertificate", {"Certificate": members})


def another_stack(account: Account) -> None:
    """Deploy this one under another name: what is there belongs to another stack."""
    account.answers.refuse("cloudformation", "DescribeStackResource", "ValidationError")
    stack = account.answers.of_stack()
    account.answers.change("cloudformation", "DescribeStacks", {"Stacks": [{**stack, "StackName": "reassort-2025"}]})


FAULTS: dict[str, list[tuple[Change, str]]] = {
    "Account: credentials": [
        (refused("sts", "GetCallerIdentity", "ExpiredToken"), "ExpiredToken"),
    ],
    "Parameters: filled in": [
        (given(AlarmAddress="<address that receives the alarms>"), "AlarmAddress"),
    ],
    "Parameters: the template takes them": [
        (given(Architecture="riscv"), "Architecture=riscv is refused"),
        (given(SmsReciepts="true"), "SmsReciepts is no parameter"),
        (given(SenderDomain=None), "SenderDomain is missing"),
    ],
    "Parameters: election file": [
        (lambda account: setattr(account, "election_is_there", False), "no such election file"),
        (lambda account: setattr(account, "now", datetime(2027, 1, 1, tzinfo=UTC)), "its ballot closed"),
    ],
    "Parameters: alarm thresholds of the election": [(given(Election="lyon-2030"), "run make alarms")],
    "Parameters: where the site is": [
        (given(CertificateArn=""), "without CertificateArn"),
        (given(DomainName="", CertificateArn=""), "neither DomainName nor SiteOrigin"),
        (given(DomainName=""), "CertificateArn without DomainName"),
    ],
    "Parameters: name of the stack": [
        (lambda account: setattr(account, "stack_name", "reassort-" + "x" * 32), "41 characters"),
        (lambda account: setattr(account, "stack_name", "1-reassort"), "10 characters"),
    ],
    "Parameters: account of the voting platform's role": [
        (given(VotingPlatformPrincipal="arn:aws:iam::210987654321:role/vote"), "210987654321"),
        (given(VotingPlatformAccount="210987654321"), "123456789012"),
    ],
    "Parameters: region of the certificate": [
        (given(CertificateArn="arn:aws:acm:eu-west-3:123456789012:certificate/5d9c"), "eu-west-3"),
        (given(CertificateArn="5d9c1f0e"), "not an ARN"),
    ],
    "Parameters: the first deploy can be rolled back": [
        (refused("cloudformation", "DescribeStacks", "ValidationError"), "the stack is not there yet"),
    ],
    "Certificate: issued": [
        (certificate(Status="EXPIRED"), "EXPIRED"),
        (
            certificate(
                Status="PENDING_VALIDATION",
                DomainValidationOptions=[
                    {
                        "DomainName": "vote.example.fr",
                        "ValidationStatus": "PENDING_VALIDATION",
                        "ResourceRecord": {
                            "Name": "_a7.vote.example.fr.",
                            "Type": "CNAME",
                            "Value": "_42.acm-validations.aws.",
                        },
                    }
                ],
            ),
            "create _a7.vote.example.fr. CNAME _42.acm-validations.aws.",
        ),
        (refused("acm", "DescribeCertificate", "ResourceNotFoundException"), "ResourceNotFoundException in us-east-1"),
    ],
    "Certificate: covers the site's domain": [
        (
            certificate(DomainName="example.fr", SubjectAlternativeNames=["example.fr", "*.vote.example.fr"]),
            "example.fr",
        ),
    ],
    "Certificate: outlasts the ballot": [(certificate(NotAfter="2026-12-10T15:59:59Z"), "until 2026-12-10")],
    "E-mail: production access": [
        (
            answered(
                "sesv2",
                "GetAccount",
                {"ProductionAccessEnabled": False, "Details": {"ReviewDetails": {"Status": "PENDING"}}},
            ),
            "sandbox, request pending",
        ),
    ],
    "E-mail: sending not paused": [
        (answered("sesv2", "GetAccount", {"SendingEnabled": False}), "paused"),
        (answered("sesv2", "GetAccount", {"EnforcementStatus": "PROBATION"}), "PROBATION"),
    ],
    "E-mail: quota of 24 hours": [
        (answered("sesv2", "GetAccount", {"SendQuota": {"Max24HourSend": 50_000.0}}), "50,000, 1,243 of them used"),
    ],
    "E-mail: rate": [(answered("sesv2", "GetAccount", {"SendQuota": {"MaxSendRate": 14.0}}), "14 a second")],
    "SMS: sandbox left": [(answered("sns", "GetSMSSandboxAccountStatus", {"IsInSandbox": True}), "verified numbers")],
    "SMS: spend limit of a month": [
        (answered("sns", "GetSMSAttributes", {"attributes": {"MonthlySpendLimit": "1500"}}), "1,500 USD"),
        (answered("sns", "GetSMSAttributes", {"attributes": {"MonthlySpendLimit": None}}), "1 USD"),
    ],
    "SMS: sender id": [
        (
            answered(
                "pinpoint-sms-voice-v2",
                "DescribeSenderIds",
                {
                    "SenderIds": [
                        {
                            "SenderIdArn": "arn:aws:sms-voice:eu-west-3:123456789012:sender-id/VOTE2026/FR",
                            "SenderId": "VOTE2026",
                            "IsoCountryCode": "FR",
                            "MessageTypes": ["TRANSACTIONAL"],
                            "MonthlyLeasingPrice": "0.00",
                            "DeletionProtectionEnabled": False,
                            "Registered": False,
                            "RegistrationId": "registration-0123456789abcdef",
                        }
                    ]
                },
            ),
            "registration not granted in FR",
        ),
    ],
    "Quotas: Lambda: functions at once": [
        (given(ColdStarts="provisioned", ReadyEnvironments="500"), "1,000"),
    ],
    "Quotas: Lambda: room for reserved concurrency": [(given(RegistryConcurrency="950"), "room for 900")],
    "Quotas: API Gateway: requests a second": [
        (answered("apigateway", "GetAccount", {"throttleSettings": {"rateLimit": 5.0}}), "5, 5,000 in a burst"),
    ],
    "Shared in the account: other stacks of this service": [(another_stack, "AccountResources=own")],
    "Shared in the account: API Gateway's role for logs": [
        (another_stack, "AccountResources=shared would leave it"),
        (
            both(given(AccountResources="shared"), refused("iam", "GetRole", "NoSuchEntity")),
            "none that exists",
        ),
    ],
    "Shared in the account: SNS's log groups of SMS": [
        (another_stack, "2 of 2"),
        (
            both(given(AccountResources="shared"), answered("logs", "DescribeLogGroups", {"logGroups": []})),
            "none",
        ),
    ],
    "Shared in the account: subscription filters of these groups": [
        (
            both(
                another_stack,
                answered(
                    "logs",
                    "DescribeSubscriptionFilters",
                    {"subscriptionFilters": [{"filterName": "one"}, {"filterName": "two"}]},
                ),
            ),
            "2 on …/DirectPublishToPhoneNumber",
        ),
    ],
    "Shared in the account: sender's identity in SES": [
        (another_stack, "vote.example.fr is there, SenderIdentity=own"),
        (
            both(given(SenderIdentity="shared"), refused("sesv2", "GetEmailIdentity", "NotFoundException")),
            "is not there",
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
    check = account.before(name)[name]
    assert (check.state, found in check.found) == (State.FAILED, True), check
    assert check.expected
    assert check.remedy == f"docs/deploy.md#{check.subject.section}"


def test_every_check_has_a_fault_that_it_finds(account: Account) -> None:
    assert account.before().keys() == FAULTS.keys()


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        (
            "E-mail: quota of 24 hours",
            lambda account: setattr(account, "voters", None),
            "add --voters N or --roll FILE",
        ),
        ("SMS: sandbox left", refused("sns", "GetSMSSandboxAccountStatus", "InvalidAction"), "not seen here"),
        (
            "Quotas: Lambda: functions at once",
            lambda account: account.answers.refuse(
                "lambda",
                "GetAccountSettings",
                "AccessDeniedException",
                "User: arn:aws:iam::123456789012:user/x is not authorized to perform: lambda:GetAccountSettings "
                "because no identity-based policy allows the lambda:GetAccountSettings action",
            ),
            "not permitted: lambda:GetAccountSettings",
        ),
        (
            "SMS: spend limit of a month",
            refused("sns", "GetSMSAttributes", "AuthorizationError"),
            "not permitted: GetSMSAttributes",
        ),
        (
            "E-mail: rate",
            refused("sesv2", "GetAccount", "TooManyRequestsException"),
            "GetAccount answers TooManyRequestsException",
        ),
        (
            "SMS: sender id",
            answered("pinpoint-sms-voice-v2", "DescribeSenderIds", {"SenderIds": []}),
            "not held in FR, GP",
        ),
        (
            "Certificate: issued",
            given(DomainName="", CertificateArn="", SiteOrigin="https://vote.example.org"),
            "no DomainName",
        ),
        ("Parameters: region of the certificate", given(CertificateArn=""), "no CertificateArn"),
        (
            "Shared in the account: sender's identity in SES",
            given(SenderDomain="<domain that sends the e-mails>"),
            "no SenderDomain",
        ),
    ],
)
def test_what_cannot_be_seen_says_why(account: Account, name: str, change: Change, found: str) -> None:
    change(account)
    checks = account.before(name)
    assert (checks[name].state, found in checks[name].found) == (State.UNSEEN, True), checks[name]


def test_a_refusal_ends_nothing(account: Account) -> None:
    refused("sesv2", "GetAccount", "AccessDeniedException")(account)
    refused("sts", "GetCallerIdentity", "ExpiredToken")(account)
    checks = account.before()
    assert checks.keys() == FAULTS.keys()
    assert {one.state for name, one in checks.items() if name.startswith("E-mail")} == {State.UNSEEN}
    assert checks["Quotas: API Gateway: requests a second"].state is State.PASSED


def test_a_wildcard_covers_one_label(account: Account) -> None:
    certificate(DomainName="*.example.fr", SubjectAlternativeNames=["*.example.fr"])(account)
    assert account.before()["Certificate: covers the site's domain"].state is State.PASSED


def test_no_limit_is_enough(account: Account) -> None:
    answered("sesv2", "GetAccount", {"SendQuota": {"Max24HourSend": -1.0, "MaxSendRate": -1.0}})(account)
    checks = account.before()
    assert checks["E-mail: quota of 24 hours"].found == "no limit"
    assert checks["E-mail: rate"].state is State.PASSED


def test_a_role_of_a_stack_that_is_gone_is_in_nobodys_way(account: Account) -> None:
    another_stack(account)
    account.answers.refuse("iam", "GetRole", "NoSuchEntity")
    assert account.before()["Shared in the account: API Gateway's role for logs"].state is State.PASSED


def test_a_second_stack_that_shares_is_right(account: Account) -> None:
    another_stack(account)
    given(AccountResources="shared", SenderIdentity="shared")(account)
    checks = account.before()
    shared = {name: one.state for name, one in checks.items() if name.startswith("Shared")}
    assert set(shared.values()) == {State.PASSED}
