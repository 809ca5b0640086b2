"""What each judgement of an account before a deploy makes of one answer, at its edges: what is
enough may not be called too little, and what falls short may not pass.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from reassort_ops.account.before import certificate, email, quotas, sms
from reassort_ops.account.checks import Check, State
from reassort_ops.account.probes import NotSeenError

from harness.elections import read_election
from tests.unit.ops.check.account import Account
from tests.unit.ops.check.changes import asked

RIGHT, WRONG = State.PASSED, State.FAILED
CLOSES_AT = datetime(2026, 12, 10, 16, 0, tzinfo=UTC)


def told(check: Check) -> tuple[State, str]:
    return check.state, check.found


# ---------------------------------------------------------------- the certificate


def test_only_records_that_acm_waits_for_are_to_be_created() -> None:
    def option(status: str, name: str) -> dict[str, Any]:
        return {"ValidationStatus": status, "ResourceRecord": {"Name": name, "Type": "CNAME", "Value": "v"}}

    options = [option("SUCCESS", "a"), {"ValidationStatus": "PENDING_VALIDATION"}, option("PENDING_VALIDATION", "b")]
    pending = {"Status": "PENDING_VALIDATION", "DomainValidationOptions": options}
    assert told(certificate.issued(pending)) == (WRONG, "PENDING_VALIDATION: create b CNAME v")
    assert told(certificate.issued({"Status": "FAILED"})) == (WRONG, "FAILED")
    assert told(certificate.issued({"Status": "ISSUED", "DomainValidationOptions": options[:1]})) == (RIGHT, "ISSUED")


@pytest.mark.parametrize(
    ("main", "others", "state"),
    [
        ("VOTE.example.fr", [], RIGHT),
        ("other.fr", ["vote.Example.fr"], RIGHT),
        ("*.example.fr", [], RIGHT),
        ("other.fr", ["*.Example.fr"], RIGHT),
        ("*.vote.example.fr", [], WRONG),
        ("example.fr", ["*.fr"], WRONG),
    ],
)
def test_a_name_of_the_certificate_is_the_domain_or_one_star_for_its_first_label(
    main: str, others: list[str], state: State
) -> None:
    check = certificate.covers({"DomainName": main, "SubjectAlternativeNames": others}, "vote.example.fr")
    assert told(check) == (state, ", ".join(sorted([main, *others])))


def test_a_certificate_of_one_name_may_say_so_once() -> None:
    assert certificate.covers({"DomainName": "vote.example.fr"}, "vote.example.fr").state is RIGHT


def test_a_certificate_that_ends_with_the_ballot_does_not_outlast_it() -> None:
    assert certificate.lasts({"NotAfter": CLOSES_AT}, CLOSES_AT).state is WRONG
    assert certificate.lasts({"NotAfter": CLOSES_AT + timedelta(seconds=1)}, CLOSES_AT).state is RIGHT
    with pytest.raises(NotSeenError, match="it has no end yet"):
        certificate.lasts({}, CLOSES_AT)


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidArnException", "ValidationException"])
def test_a_certificate_that_is_not_there_is_wrong_and_nothing_else_is_said_of_it(account: Account, code: str) -> None:
    account.answers.refuse("acm", "DescribeCertificate", code)
    found = account.before("Certificate: issued")
    assert told(found["Certificate: issued"]) == (WRONG, f"{code} in us-east-1")
    for name in ("covers the site's domain", "outlasts the ballot"):
        assert told(found[f"Certificate: {name}"]) == (State.UNSEEN, "there is no such certificate")


def test_a_certificate_that_may_not_be_read_is_not_called_wrong(account: Account) -> None:
    account.answers.refuse("acm", "DescribeCertificate", "AccessDeniedException")
    check = account.before("Certificate: issued")["Certificate: issued"]
    assert told(check) == (State.UNSEEN, "not permitted: DescribeCertificate")


def test_no_certificate_is_asked_for_before_its_arn_is_known(account: Account) -> None:
    account.given["CertificateArn"] = "<certificate of that domain, in us-east-1>"
    check = account.before("Certificate: issued")["Certificate: issued"]
    assert told(check) == (State.UNSEEN, "no CertificateArn")
    account.given["DomainName"] = ""
    check = account.before("Certificate: issued")["Certificate: issued"]
    assert told(check) == (State.UNSEEN, "no DomainName: the stack has no site, and needs no certificate")


# ---------------------------------------------------------------- credentials


def test_the_account_is_told_with_who_asks(account: Account) -> None:
    check = account.before("Account: credentials")["Account: credentials"]
    assert told(check) == (RIGHT, "account 123456789012, assumed-role/operator/claire")


def test_nobody_is_no_operator(account: Account) -> None:
    def nobody(_: dict[str, Any]) -> dict[str, Any]:
        raise NoCredentialsError

    account.answers.compute("sts", "GetCallerIdentity", nobody)
    check = account.before("Account: credentials")["Account: credentials"]
    assert told(check) == (WRONG, "no AWS credentials")


# ---------------------------------------------------------------- e-mail


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, (WRONG, "sandbox")),
        ({"Details": {"ReviewDetails": {"Status": "DENIED"}}}, (WRONG, "sandbox, request denied")),
        ({"ProductionAccessEnabled": True, "Details": {"ReviewDetails": {"Status": "GRANTED"}}}, (RIGHT, "granted")),
        ({"ProductionAccessEnabled": True}, (RIGHT, "granted")),
    ],
)
def test_an_account_that_does_not_say_so_is_in_the_sandbox(said: dict[str, Any], found: tuple[State, str]) -> None:
    assert told(email.production(said)) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, (WRONG, "paused, reputation unknown")),
        ({"EnforcementStatus": "HEALTHY"}, (WRONG, "paused, reputation HEALTHY")),
        ({"SendingEnabled": True}, (WRONG, "enabled, reputation unknown")),
        ({"SendingEnabled": True, "EnforcementStatus": "HEALTHY"}, (RIGHT, "enabled, reputation HEALTHY")),
    ],
)
def test_sending_is_enabled_and_healthy_where_ses_says_both(said: dict[str, Any], found: tuple[State, str]) -> None:
    assert told(email.sending(said)) == found


@pytest.mark.parametrize(
    ("quota", "found"),
    [
        (1000.0, (RIGHT, "1,000, 10 of them used")),
        (999.0, (WRONG, "999, 10 of them used")),
        (0.0, (WRONG, "0, 10 of them used")),
        (-1.0, (RIGHT, "no limit")),
    ],
)
def test_a_quota_of_what_is_needed_is_enough(quota: float, found: tuple[State, str]) -> None:
    said = {"SendQuota": {"Max24HourSend": quota, "SentLast24Hours": 10.0}}
    assert told(email.day(said, 1000, "because")) == found


@pytest.mark.parametrize(("found", "state"), [(80.0, RIGHT), (79.9, WRONG), (0.0, WRONG), (-1.0, RIGHT)])
def test_a_rate_of_what_is_needed_is_enough(found: float, state: State) -> None:
    assert email.rate({"SendQuota": {"MaxSendRate": found}}, 80).state is state


def test_codes_and_other_messages_share_the_rate_of_ses(account: Account) -> None:
    sending = read_election("normandie-2026").sending
    expected = account.before("E-mail: rate")["E-mail: rate"].expected
    assert expected.startswith(f"at least {sending.codes_per_second + sending.emails_per_second} a second")


def test_a_quota_of_which_ses_says_nothing_is_not_seen() -> None:
    with pytest.raises(NotSeenError, match="GetAccount says nothing of MaxSendRate"):
        email.rate({"SendQuota": {}}, 1)
    with pytest.raises(NotSeenError, match="GetAccount says nothing of Max24HourSend"):
        email.day({}, 1, "because")


# ---------------------------------------------------------------- SMS


@pytest.mark.parametrize(
    ("attributes", "needed", "found"),
    [
        ({"MonthlySpendLimit": "2000"}, 2000.0, (RIGHT, "2,000 USD")),
        ({"MonthlySpendLimit": "1999"}, 2000.0, (WRONG, "1,999 USD")),
        ({}, 1.0, (RIGHT, "1 USD")),
        ({}, 1.5, (WRONG, "1 USD")),
    ],
)
def test_a_spend_limit_of_what_is_needed_is_enough(
    attributes: dict[str, str], needed: float, found: tuple[State, str]
) -> None:
    assert told(sms.spend({"attributes": attributes}, needed, "because")) == found


def test_out_of_the_sandbox_sms_go_to_any_number() -> None:
    assert told(sms.sandbox({"IsInSandbox": False})) == (RIGHT, "left")
    assert told(sms.sandbox({"IsInSandbox": True})) == (WRONG, "sandbox: verified numbers only")


def held(territory: str, name: str = "VOTE2026", **members: Any) -> dict[str, Any]:
    """Return a sender id of the account."""
    return {"SenderId": name, "IsoCountryCode": territory, **members}


@pytest.mark.parametrize(
    ("senders", "found"),
    [
        ([held("FR"), held("GP", "vote2026")], (RIGHT, "held in all of them")),
        ([held("FR", RegistrationId="r", Registered=True), held("GP")], (RIGHT, "held in all of them")),
        ([held("FR", Registered=False), held("GP", Registered=False)], (RIGHT, "held in all of them")),
        ([held("FR", RegistrationId="r"), held("GP")], (WRONG, "registration not granted in FR")),
        ([held("FR", RegistrationId="r", Registered=False)], (WRONG, "registration not granted in FR")),
        ([held("FR"), held("GP"), held("BE", RegistrationId="r")], (RIGHT, "held in all of them")),
    ],
)
def test_a_sender_id_waits_only_where_it_was_registered_and_is_not(
    senders: list[dict[str, Any]], found: tuple[State, str]
) -> None:
    assert told(sms.sender(senders, "Vote2026", ["FR", "GP"])) == found


def test_another_sender_id_is_not_this_one() -> None:
    check = sms.sender([held("FR"), held("GP", "OTHER")], "VOTE2026", ["FR", "GP"])
    assert told(check) == (State.UNSEEN, "not held in GP: look up whether AWS wants a registration there")


def test_the_limit_and_the_sender_id_of_the_election_are_asked_for(account: Account) -> None:
    limits = asked(account, "sns", "GetSMSAttributes")
    senders = asked(account, "pinpoint-sms-voice-v2", "DescribeSenderIds")
    account.before("SMS: spend limit of a month")
    account.before("SMS: sender id")
    assert limits == [{"attributes": ["MonthlySpendLimit"]}]
    wanted = read_election("normandie-2026").senders.sms_sender_id
    assert [one["Filters"] for one in senders] == [[{"Name": "sender-id", "Values": [wanted]}]]


# ---------------------------------------------------------------- quotas


@pytest.mark.parametrize(
    ("free", "at_once", "provisioned", "state"),
    [
        (100, 14, 0, RIGHT),
        (99, 14, 0, WRONG),
        (150, 150, 0, RIGHT),
        (149, 150, 0, WRONG),
        (120, 14, 20, RIGHT),
        (119, 14, 20, WRONG),
    ],
)
def test_what_is_kept_ready_comes_on_top_of_what_runs(free: int, at_once: int, provisioned: int, state: State) -> None:
    assert told(quotas.concurrency(free, at_once, provisioned)) == (state, str(free))


def test_only_what_is_kept_ready_is_told_as_a_reason() -> None:
    busiest = "100 always; 14 in the busiest minute"
    assert quotas.concurrency(1000, 14, 0).expected == f"at least 100 ({busiest})"
    assert quotas.concurrency(1000, 14, 20).expected == f"at least 120 ({busiest}; 20 kept ready)"


@pytest.mark.parametrize(
    ("free", "registry", "found"),
    [
        (0, 0, (RIGHT, "nothing to reserve")),
        (200, 100, (RIGHT, "room for 100")),
        (199, 100, (WRONG, "room for 99")),
        (100, 1, (WRONG, "room for 0")),
        (50, 1, (WRONG, "room for 0")),
    ],
)
def test_a_reservation_leaves_what_lambda_keeps_for_the_others(
    free: int, registry: int, found: tuple[State, str]
) -> None:
    check = quotas.reserved(free, registry)
    assert told(check) == found
    assert check.expected == f"RegistryConcurrency={registry}"


def test_a_throttle_of_what_is_needed_is_enough() -> None:
    said = {"throttleSettings": {"rateLimit": 207.0, "burstLimit": 5000}}
    assert told(quotas.throttle(said, 207)) == (RIGHT, "207, 5,000 in a burst")
    assert quotas.throttle(said, 208).state is WRONG
    with pytest.raises(NotSeenError, match="GetAccount says nothing of throttles"):
        quotas.throttle({}, 1)


RESERVED, AT_ONCE = "Quotas: Lambda: room for reserved concurrency", "Quotas: Lambda: functions at once"


@pytest.mark.parametrize(
    ("parameters", "free"),
    [
        ({}, 900),
        ({"RegistryConcurrency": "60"}, 960),
        ({"ColdStarts": "provisioned", "ReadyEnvironments": "5"}, 910),
        ({"ColdStarts": "plain", "ReadyEnvironments": "5"}, 900),
        ({"RegistryConcurrency": "60", "ColdStarts": "provisioned", "ReadyEnvironments": "5"}, 970),
    ],
)
def test_what_the_stack_has_taken_already_is_not_taken_twice(
    account: Account, parameters: dict[str, str], free: int
) -> None:
    listed = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    stack = {**account.answers.of_stack(), "Parameters": listed}
    account.answers.change("cloudformation", "DescribeStacks", {"Stacks": [stack]})
    found = account.before(AT_ONCE)
    assert (found[AT_ONCE].found, found[RESERVED].found) == (f"{free:,}", f"room for {free - 100}")


def test_before_a_first_deploy_nothing_has_been_taken(account: Account) -> None:
    account.answers.refuse("cloudformation", "DescribeStacks", "ValidationError")
    assert account.before(AT_ONCE)[AT_ONCE].found == "900"


def test_what_a_deploy_will_take_is_read_from_its_parameters(account: Account) -> None:
    account.given |= {"RegistryConcurrency": "", "ColdStarts": "provisioned", "ReadyEnvironments": "7"}
    found = account.before(AT_ONCE)
    assert found[AT_ONCE].expected.endswith("; 14 kept ready)")
    assert told(found[RESERVED]) == (RIGHT, "nothing to reserve")
    account.given |= {"RegistryConcurrency": "70", "ColdStarts": "plain"}
    found = account.before(AT_ONCE)
    assert found[AT_ONCE].expected.endswith("in the busiest minute)")
    assert found[RESERVED].expected == "RegistryConcurrency=70"


# ---------------------------------------------------------------- the plan


def test_an_election_file_that_cannot_be_read_is_told_before_the_roll(account: Account) -> None:
    account.election_is_there, account.voters = False, None
    name = "SMS: spend limit of a month"
    assert told(account.before(name)[name]) == (State.UNSEEN, "the election file cannot be read")


def test_a_roll_of_unknown_size_asks_for_nothing_yet(account: Account) -> None:
    account.voters = None
    name = "SMS: spend limit of a month"
    check = account.before(name)[name]
    assert told(check) == (State.UNSEEN, "the size of the roll is not known: add --voters N or --roll FILE")
