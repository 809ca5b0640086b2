"""How the template sets AWS's services: what they do when something fails, and what they never
do.
"""

from __future__ import annotations

from typing import Any

import pytest
from reassort.aws import Clients
from reassort_ops.helpdesk.people import PASSWORD_DAYS, Group

from harness.engines.template import read_template
from tests.aws.test_template_values import FUNCTIONS, SITE, STREAMS, filled, properties

GLOBAL: dict[str, Any] = read_template()["Globals"]["Function"]
# How long API Gateway waits for a function, in seconds.
GATEWAY_WAITS = 29
# The most that Lambda offers for an asynchronous call: two more tries, six hours.
MOST_RETRIES, MOST_SECONDS = 2, 6 * 3600


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")


def answering() -> list[str]:
    """Return the functions that the API calls: nothing else starts them."""
    return [name for name in FUNCTIONS if not properties(name).get("Events")]


@pytest.mark.req("R12")
def test_a_report_that_cannot_be_taken_is_tried_for_as_long_as_lambda_offers() -> None:
    given = properties("NotifyFunction")["EventInvokeConfig"]
    assert (given["MaximumRetryAttempts"], given["MaximumEventAgeInSeconds"]) == (MOST_RETRIES, MOST_SECONDS)


@pytest.mark.req("S25")
@pytest.mark.parametrize("name", answering())
def test_a_function_says_that_it_failed_before_the_gateway_does(name: str) -> None:
    config: Any = Clients().kms.meta.config
    one_try = config.connect_timeout + config.read_timeout
    assert one_try < properties(name).get("Timeout", GLOBAL["Timeout"]) < GATEWAY_WAITS


def test_every_function_has_the_memory_that_its_cost_is_reckoned_with() -> None:
    """docs/adr/0021-cold-starts-are-plain-unless-a-vote-opens.md."""
    assert {properties(name).get("MemorySize", GLOBAL["MemorySize"]) for name in FUNCTIONS} == {1024}


def test_a_batch_of_events_ends_though_sns_answers_none() -> None:
    config: Any = Clients().topics.meta.config
    tries = config.retries["total_max_attempts"]
    batch = STREAMS["AnnounceFunction", "Register"]["BatchSize"]
    assert batch * tries * (config.connect_timeout + config.read_timeout) <= properties("AnnounceFunction")["Timeout"]


@pytest.mark.req("R6")
def test_an_event_that_fails_keeps_none_of_its_batch() -> None:
    """The function names what failed; where it fails as a whole, Lambda halves the batch."""
    assert all(given["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for given in STREAMS.values())
    assert STREAMS["AnnounceFunction", "Register"]["BisectBatchOnFunctionError"] is True


@pytest.mark.req("R16")
def test_a_message_of_the_retry_queue_is_nobody_elses_for_six_timeouts() -> None:
    """As Lambda asks for:
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    timeout = properties("NotifyFunction")["Timeout"]
    assert properties("RetryQueue")["VisibilityTimeout"] == 6 * timeout
    # A voter waits for the other functions, and nobody for this one.
    assert timeout > GLOBAL["Timeout"]


@pytest.mark.req("R6")
def test_a_message_that_fails_five_times_is_a_dead_letter_for_a_fortnight() -> None:
    redrive = properties("RetryQueue")["RedrivePolicy"]
    # docs/runbook.md#dead-letters.
    assert redrive == {"deadLetterTargetArn": {"Fn::GetAtt": "DeadLetterQueue.Arn"}, "maxReceiveCount": 5}
    for queue in ("DeadLetterQueue", "PlatformDeadLetters"):
        assert properties(queue)["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert {source["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"] for source in STREAMS.values()} == {
        "DeadLetterQueue.Arn",
        "PlatformDeadLetters.Arn",
    }


@pytest.mark.req("R11")
def test_mail_leaves_encrypted_and_never_for_an_address_that_refused_it() -> None:
    given = properties("ConfigurationSet")
    assert given["DeliveryOptions"] == {"TlsPolicy": "REQUIRE"}
    assert set(given["SuppressionOptions"]["SuppressedReasons"]) == {"BOUNCE", "COMPLAINT"}
    assert given["SendingOptions"] == {"SendingEnabled": True}
    identity = properties("SenderDomainIdentity")
    # SES would mail the whole message back, an identifier with it.
    assert identity["FeedbackAttributes"] == {"EmailForwardingEnabled": False}
    assert identity["ConfigurationSetAttributes"] == {"ConfigurationSetName": {"Ref": "ConfigurationSet"}}


@pytest.mark.parametrize(("given", "kept"), [("0", {}), ("40", {"RegistryFunction": "40"})])
def test_executions_are_kept_for_the_registry_alone_and_as_many_as_are_asked_for(
    given: str, kept: dict[str, str]
) -> None:
    stack = filled(SiteOrigin=SITE, RegistryConcurrency=given)
    functions = {one.id: one.properties for one in stack.of_type("AWS::Serverless::Function")}
    reserved = "ReservedConcurrentExecutions"
    assert {name: one[reserved] for name, one in functions.items() if reserved in one} == kept


@pytest.mark.req("H1", "S28")
def test_who_is_in_several_groups_is_an_auditor_before_a_supervisor_before_an_agent() -> None:
    """So an auditor acts on nothing. Cognito takes the role of the lowest number."""
    groups = {word: properties(f"{word.title()}Group") for word in Group}
    assert {word: group["GroupName"] for word, group in groups.items()} == {word: word for word in Group}
    ordered = sorted(groups, key=lambda word: int(groups[word]["Precedence"]))
    assert ordered == [Group.AUDITOR, Group.SUPERVISOR, Group.AGENT]
    assert len({group["Precedence"] for group in groups.values()}) == len(groups)
    assert {word: group["RoleArn"] for word, group in groups.items()} == {
        word: {"Fn::GetAtt": f"{word.title()}Role.Arn"} for word in Group
    }


def test_an_invitation_lasts_as_long_as_the_command_says() -> None:
    policy = properties("HelpdeskUsers")["Policies"]["PasswordPolicy"]
    assert policy["TemporaryPasswordValidityDays"] == PASSWORD_DAYS


@pytest.mark.req("R17")
@pytest.mark.parametrize(("protected", "state"), [("true", "ACTIVE"), ("false", "INACTIVE")])
def test_who_helps_is_protected_when_the_tables_are(protected: str, state: str) -> None:
    stack = filled(SiteOrigin=SITE, DeletionProtection=protected)
    assert stack.resources["HelpdeskUsers"].properties["DeletionProtection"] == state
