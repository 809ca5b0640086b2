"""What the template gives its functions and nested stacks: what a thing is named is what it is
given.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from deployed.scenarios import defaults
from deployed.stack import FilledTemplate
from notify.receipt_events import ReceiptFormatError, ses_receipts
from reassort.client_network import NO_HEADER

from harness.engines.template import TEMPLATE, CloudFormationLoader, read_template

DOMAIN = "vote.example.fr"
SITE = "http://127.0.0.1:8080"
RESOURCES = read_template()["Resources"]
FUNCTIONS = sorted(name for name, part in RESOURCES.items() if part["Type"] == "AWS::Serverless::Function")
# Each function's mappings of a stream, by function and event.
STREAMS = {
    (name, event): source["Properties"]
    for name in FUNCTIONS
    for event, source in RESOURCES[name]["Properties"].get("Events", {}).items()
    if source["Type"] == "DynamoDB"
}
# What SES can publish, by what `MatchingEventTypes` calls it, and what the event then calls itself:
# https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
SES_EVENTS = {
    "send": "Send",
    "reject": "Reject",
    "bounce": "Bounce",
    "complaint": "Complaint",
    "delivery": "Delivery",
    "open": "Open",
    "click": "Click",
    "renderingFailure": "Rendering Failure",
    "deliveryDelay": "DeliveryDelay",
    "subscription": "Subscription",
}
# What a nested stack calls otherwise than the root does.
OTHERWISE: dict[str, Any] = {
    "StackName": {"Ref": "AWS::StackName"},
    "ApiStage": {"Ref": "Api.Stage"},
    "HelpdeskNetworks": {"Fn::GetAtt": "ObservabilityStack.Outputs.HelpdeskNetworks"},
    "UserPool": {"Ref": "HelpdeskUsers"},
    "UserPoolProvider": {"Fn::GetAtt": "HelpdeskUsers.ProviderName"},
}


def properties(name: str) -> dict[str, Any]:
    """Return the properties of a resource, as they are written."""
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


def root() -> dict[str, Any]:
    """Return the template without what its nested stacks hold."""
    found: dict[str, Any] = yaml.load(TEMPLATE.read_text("utf-8"), CloudFormationLoader)  # noqa: S506 - a safe one
    return found


def filled(**parameters: str) -> FilledTemplate:
    """Return the template with its defaults and these parameters."""
    return FilledTemplate(read_template(), defaults(read_template()) | parameters)


def variables(stack: FilledTemplate, variable: str) -> dict[str, Any]:
    """Return what each function that has a variable of the environment finds in it."""
    found = {
        one.id: one.properties.get("Environment", {}).get("Variables", {})
        for one in stack.of_type("AWS::Serverless::Function")
    }
    return {name: values[variable] for name, values in found.items() if variable in values}


def is_read(kind: str) -> bool:
    """Tell whether delivery reads a kind of SES event: of one without content it then complains."""
    event = {"eventType": SES_EVENTS[kind], "mail": {"tags": {"delivery": ["a"]}}}
    try:
        return bool(ses_receipts(json.dumps(event), ["ac-dijon.fr"]))
    except ReceiptFormatError:
        return True


@pytest.mark.req("R11", "R12")
def test_ses_reports_what_delivery_reads_and_nothing_else() -> None:
    destination = properties("ReceiptsDestination")["EventDestination"]
    assert set(destination["MatchingEventTypes"]) == {kind for kind in SES_EVENTS if is_read(kind)}
    assert destination["Enabled"] is True
    assert destination["SnsDestination"] == {"TopicARN": {"Ref": "ReceiptsTopic"}}


@pytest.mark.req("R4")
@pytest.mark.parametrize("source", STREAMS, ids="-".join)
def test_nothing_that_a_stream_holds_is_left_out(source: tuple[str, str]) -> None:
    given = STREAMS[source]
    # What was committed before the mapping existed is in it.
    assert given["StartingPosition"] == "TRIM_HORIZON"
    # A record is tried until it is too old, however often that is.
    assert given.get("MaximumRetryAttempts", -1) == -1
    assert given.get("Enabled", True) is True
    # The most that Lambda offers: no shard holds up the others of a rush.
    assert given["ParallelizationFactor"] == 10


@pytest.mark.parametrize(
    ("source", "hours"),
    [
        # The sweeper has what the stream gives up (docs/runbook.md#dead-letters).
        (("NotifyFunction", "Outbox"), 1),
        (("NotifyFunction", "Codes"), 1),
        # The stream keeps 24: nobody else has what is given up (docs/architecture.md).
        (("AnnounceFunction", "Register"), 23),
    ],
)
def test_a_stream_gives_up_after_as_many_hours_as_the_documents_say(source: tuple[str, str], hours: int) -> None:
    assert STREAMS[source]["MaximumRecordAgeInSeconds"] == hours * 3600


def test_every_stream_wakes_its_function() -> None:
    assert {source: given["Stream"]["Fn::GetAtt"] for source, given in STREAMS.items()} == {
        ("NotifyFunction", "Outbox"): "DeliveriesTable.StreamArn",
        ("NotifyFunction", "Codes"): "CodeDeliveriesTable.StreamArn",
        ("AnnounceFunction", "Register"): "RegisterTable.StreamArn",
    }


@pytest.mark.parametrize("stack", ["EdgeStack", "HelpdeskStack", "ObservabilityStack"])
def test_a_nested_stack_is_given_what_its_parameters_are_named_after(stack: str) -> None:
    template = root()
    nested = template["Resources"][stack]["Properties"]
    path = TEMPLATE.parent / nested["TemplateURL"]
    described = yaml.load(path.read_text("utf-8"), CloudFormationLoader)["Parameters"]  # noqa: S506 - a safe one
    own = {*template["Resources"], *template["Parameters"]}
    assert set(nested["Parameters"]) - own == set(nested["Parameters"]) & set(OTHERWISE)
    for name, value in nested["Parameters"].items():
        if name in OTHERWISE:
            assert value == OTHERWISE[name], name
        elif described[name]["Description"].startswith("Name of a queue"):
            assert value == {"Fn::GetAtt": f"{name}.QueueName"}, name
        elif described[name]["Description"].startswith("Name of the topic"):
            assert value == {"Fn::GetAtt": f"{name}.TopicName"}, name
        else:
            assert value == {"Ref": name}, name


@pytest.mark.req("S27")
def test_the_header_of_the_edge_is_believed_with_the_edge_alone() -> None:
    code = properties("ViewerAddress")["FunctionCode"]
    (written,) = re.findall(r"request\.headers\['([a-z-]+)'\]", code)
    assert variables(filled(DomainName=DOMAIN), "SOURCE_HEADER") == {"LoginFunction": written}
    # Anyone who speaks to the API itself writes every header.
    assert variables(filled(SiteOrigin=SITE), "SOURCE_HEADER") == {"LoginFunction": NO_HEADER}


@pytest.mark.req("S18")
@pytest.mark.parametrize(
    ("parameters", "origin"), [({"DomainName": DOMAIN}, f"https://{DOMAIN}"), ({"SiteOrigin": SITE}, SITE)]
)
def test_functions_links_and_outputs_name_the_same_site(parameters: dict[str, str], origin: str) -> None:
    stack = filled(**parameters)
    assert variables(stack, "SITE_ORIGIN") == dict.fromkeys(
        ("LoginFunction", "NotifyFunction", "ReissueFunction"), origin
    )
    assert stack.text(read_template()["Outputs"]["SiteUrl"]["Value"]) == origin


@pytest.mark.req("S24")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_own_code_role_and_log(name: str) -> None:
    word = name.removesuffix("Function")
    given = properties(name)
    assert given["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": f"{word}Logs"}}
    assert properties(f"{word}Logs")["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{word.lower()}"}
    assert given["Role"] == {"Fn::GetAtt": f"{word}Role.Arn"}
    assert given["CodeUri"] == f"functions/{word.lower()}"
    assert given["Handler"] == f"{word.lower()}.handler.lambda_handler"


@pytest.mark.req("R18")
def test_every_key_of_the_service_is_watched() -> None:
    keys = {name for name, part in RESOURCES.items() if part["Type"] == "AWS::KMS::Key"}
    watched = variables(filled(SiteOrigin=SITE), "WATCHED_KEYS")["NotifyFunction"].split(" ")
    assert sorted(watched) == sorted(f"${{{key}}}" for key in keys)
