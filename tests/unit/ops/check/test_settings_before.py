"""What the check says of the parameters of a deploy, one at a time: what is filled in, what the
template takes, and what fits together.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from reassort_ops.account.before import parameters
from reassort_ops.account.before.plan import Plan
from reassort_ops.account.checks import Check, State
from reassort_ops.account.settings_file import Parameter, Profile

from harness.elections import read_election
from tests.unit.ops.check.account import Account

RIGHT, WRONG = State.PASSED, State.FAILED
ELECTION = read_election("normandie-2026")
NOTHING = Profile("production", "reassort", "eu-west-3", {}, {}, frozenset({"normandie-2026"}))
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/5d9c"


def told(check: Check) -> tuple[State, str]:
    return check.state, check.found


def given(**values: str) -> Profile:
    return replace(NOTHING, given=values)


@pytest.mark.parametrize(
    ("later", "found"),
    [
        (timedelta(microseconds=-1), (RIGHT, "normandie-2026")),
        (timedelta(0), (WRONG, "normandie-2026: its ballot closed 2026-12-10T16:00:00Z")),
    ],
)
def test_an_election_is_over_when_its_ballot_closes(later: timedelta, found: tuple[State, str]) -> None:
    plan = Plan(given(Election="normandie-2026"), "eu-west-3", ELECTION, "", None)
    assert told(parameters.election_file(plan, ELECTION.windows.voting.closes_at + later)) == found


def test_an_election_file_that_cannot_be_read_says_why() -> None:
    plan = Plan(given(Election="normandie-2026"), "eu-west-3", None, "no such file", None)
    assert told(parameters.election_file(plan, ELECTION.windows.voting.closes_at)) == (WRONG, "no such file")


def test_placeholders_are_named_wherever_they_stand() -> None:
    assert told(parameters.filled_in(given(A="a"))) == (RIGHT, "1 parameter")
    assert told(parameters.filled_in(replace(given(A="a", B=""), region=None))) == (RIGHT, "2 parameters")
    empty = replace(given(A="<a>", B="b"), stack_name="<name>", region="<region>")
    assert told(parameters.filled_in(empty)) == (WRONG, "to be filled in: stack_name, region, A")


def test_the_template_takes_what_it_knows_and_what_it_allows() -> None:
    known = {
        "Wanted": Parameter(None, (), None),
        "Chosen": Parameter("a", ("a", "b"), None),
        "Numbered": Parameter("1", (), "[0-9]+"),
    }
    settings = replace(NOTHING, parameters=known)
    assert told(parameters.taken(replace(settings, given={"Wanted": "x"}))) == (RIGHT, "all of them")
    full = {"Wanted": "", "Chosen": "b", "Numbered": "22"}
    assert told(parameters.taken(replace(settings, given=full))) == (RIGHT, "all of them")
    to_fill_in = {"Wanted": "<x>", "Chosen": "<a or b>", "Numbered": "<how many>"}
    assert told(parameters.taken(replace(settings, given=to_fill_in))) == (RIGHT, "all of them")
    wrong = {"Chosen": "c", "Numbered": "2x", "Wonted": "x"}
    assert told(parameters.taken(replace(settings, given=wrong))) == (
        WRONG,
        "Wonted is no parameter, Wanted is missing, Chosen=c is refused, Numbered=2x is refused",
    )


@pytest.mark.parametrize(
    ("election", "found"),
    [
        ("normandie-2026", (RIGHT, "there")),
        ("lyon-2030", (WRONG, "none for lyon-2030: run make alarms")),
        ("<id of a file of elections/>", (WRONG, "none for no election: run make alarms")),
    ],
)
def test_an_election_has_thresholds_for_its_alarms(election: str, found: tuple[State, str]) -> None:
    assert told(parameters.watched(given(Election=election))) == found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"DomainName": "v.fr", "CertificateArn": "arn"}, (RIGHT, "v.fr with a certificate")),
        ({"DomainName": "v.fr"}, (WRONG, "v.fr without CertificateArn")),
        ({"DomainName": "v.fr", "SiteOrigin": "https://o.fr"}, (WRONG, "v.fr without CertificateArn")),
        ({"CertificateArn": "arn"}, (WRONG, "CertificateArn without DomainName")),
        ({"CertificateArn": "arn", "SiteOrigin": "https://o.fr"}, (WRONG, "CertificateArn without DomainName")),
        ({"SiteOrigin": "https://o.fr"}, (RIGHT, "https://o.fr")),
        ({}, (WRONG, "neither DomainName nor SiteOrigin")),
    ],
)
def test_a_site_is_a_domain_with_its_certificate_or_an_origin(values: dict[str, str], found: tuple[State, str]) -> None:
    assert told(parameters.site(given(**values))) == found


@pytest.mark.parametrize(
    ("arn", "found"),
    [
        (CERTIFICATE, (RIGHT, "us-east-1")),
        (CERTIFICATE.replace("us-east-1", "eu-west-3"), (WRONG, "eu-west-3")),
        ("arn:aws:acm:us-east-1:123456789012", (WRONG, "not an ARN")),
        ("", (State.UNSEEN, "no CertificateArn")),
    ],
)
def test_cloudfront_looks_for_a_certificate_in_one_region(arn: str, found: tuple[State, str]) -> None:
    assert told(parameters.certificate_region(given(CertificateArn=arn))) == found


@pytest.mark.parametrize(
    ("principal", "trusted", "found"),
    [
        ("arn:aws:iam::111111111111:role/vote", "", (RIGHT, "111111111111")),
        ("arn:aws:iam::222222222222:role/vote", "", (WRONG, "222222222222")),
        ("arn:aws:iam::222222222222:role/vote", "222222222222", (RIGHT, "222222222222")),
        ("arn:aws:iam::111111111111:role/vote", "222222222222", (WRONG, "111111111111")),
        ("arn:aws:iam::111111111111", "", (WRONG, "not an ARN")),
        (
            "",
            "222222222222",
            (State.UNSEEN, "no VotingPlatformPrincipal: nobody can call the registry by this stack's role"),
        ),
    ],
)
def test_the_platforms_role_is_of_the_account_that_is_trusted(
    principal: str, trusted: str, found: tuple[State, str]
) -> None:
    settings = given(VotingPlatformPrincipal=principal, VotingPlatformAccount=trusted)
    check = parameters.platform(settings, "111111111111")
    assert told(check) == found
    if principal:
        assert check.expected.startswith(trusted or "111111111111")


@pytest.mark.parametrize(
    ("there", "protection", "state"),
    [(True, "true", RIGHT), (True, "false", RIGHT), (False, "false", RIGHT), (False, "true", WRONG)],
)
def test_tables_are_protected_once_the_stack_is_there(*, there: bool, protection: str, state: State) -> None:
    check = parameters.rollback(given(DeletionProtection=protection), there=there)
    expected = f"DeletionProtection={protection}, the stack is {'there' if there else 'not there yet'}"
    assert told(check) == (state, expected)


# ---------------------------------------------------------------- the stack that is there


def deployed(account: Account) -> dict[str, str] | None:
    return parameters.deployed_parameters(account.reach(), "reassort")


def test_the_parameters_of_a_stack_are_read(account: Account) -> None:
    found = deployed(account)
    assert found is not None
    assert (found["Architecture"], found["SiteOrigin"]) == ("arm64", "")


def test_a_stack_of_which_only_the_name_is_taken_is_not_there(account: Account) -> None:
    stack = {**account.answers.of_stack(), "StackStatus": "REVIEW_IN_PROGRESS"}
    account.answers.change("cloudformation", "DescribeStacks", {"Stacks": [stack]})
    assert deployed(account) is None


def test_a_stack_without_parameters_is_there_all_the_same(account: Account) -> None:
    stack = {name: value for name, value in account.answers.of_stack().items() if name != "Parameters"}
    account.answers.change("cloudformation", "DescribeStacks", {"Stacks": [stack]})
    assert deployed(account) == {}
    name = "Parameters: the first deploy can be rolled back"
    assert told(account.before(name)[name]) == (RIGHT, "DeletionProtection=true, the stack is there")


def test_a_stack_that_may_not_be_described_is_neither_there_nor_not(account: Account) -> None:
    account.answers.refuse("cloudformation", "DescribeStacks", "AccessDenied")
    name = "Parameters: the first deploy can be rolled back"
    assert told(account.before(name)[name]) == (State.UNSEEN, "not permitted: DescribeStacks")
