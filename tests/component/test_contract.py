"""The API is what `openapi.yaml` describes: the same routes, and no answer beside those it
lists.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from reassort.sessions import SESSION_COOKIE

from harness.engines.template import read_template
from harness.service.events import FOLDER, load_event
from harness.service.openapi import UndescribedError, description, operations, raise_if_undescribed
from harness.service.world import ROUTES, Enrolled, World


def test_described_operations_are_the_routes(world: World) -> None:
    routes = {route for routes in ROUTES.values() for route in routes}
    assert set(operations()) == routes


def test_each_operation_is_answered_by_the_function_that_has_its_route(world: World) -> None:
    for (method, path), operation in operations().items():
        (service,) = [name for name, routes in ROUTES.items() if (method, path) in routes]
        uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        function = service.capitalize()
        if isinstance(uri, str):
            assert f"${{{function}Function.Arn}}" in uri, (method, path)
        else:
            # By its alias, when environments are kept ready.
            arn = {"Fn::GetAtt": [f"{function}Function", "Arn"]}
            assert uri[1] == {"Function": {"Fn::If": ["Published", {"Ref": f"{function}Alias"}, arn]}}, (method, path)


def test_registry_is_signed_and_voters_need_no_signature() -> None:
    for (_, path), operation in operations().items():
        signed = {"sigv4": []} in operation["security"]
        assert signed == path.startswith(("/registry/", "/helpdesk/")), path


@pytest.mark.req("S18")
def test_every_change_is_asked_by_post_or_delete() -> None:
    assert {method for method, _ in operations()} == {"GET", "POST", "DELETE"}
    assert {path for method, path in operations() if method == "GET"} == {
        "/api/reissue",
        "/api/reissue/{reference}",
        "/api/status",
        "/helpdesk/me",
        "/helpdesk/proposals",
        "/helpdesk/record",
        "/helpdesk/shift",
    }


@pytest.mark.req("S21")
def test_nothing_secret_is_asked_for_in_a_url() -> None:
    for item in description()["paths"].values():
        for parameter in item.get("parameters", []):
            assert (parameter["in"], parameter["name"]) == ("path", "reference")
    assert not any("{" in path.replace("{reference}", "").replace("{agent}", "") for _, path in operations())


def test_undescribed_answer_is_noticed(world: World, claire: Enrolled) -> None:
    answer = world.browser().ask_code(claire.email)
    raise_if_undescribed(answer)
    for wrong in (
        replace(answer, status=201),
        replace(answer, text='{"expires_in": 600}'),
        replace(answer, text='{"sent": true, "expires_in": "600", "resend_in": 60}'),
        replace(answer, text='{"sent": true, "expires_in": 600, "resend_in": 60, "known": true}'),
        replace(answer, cookies={}),
        replace(answer, headers={"content-type": "text/html"}),
    ):
        with pytest.raises(UndescribedError):
            raise_if_undescribed(wrong)


EVENTS = {
    "api-login": ("login", 202),
    "api-login-code": ("login", 401),
    "api-reissue-get": ("reissue", 401),
    "api-reissue-post": ("reissue", 401),
    "api-reissue-status": ("reissue", 401),
    "api-redelivery": ("reissue", 401),
    "api-dispute": ("reissue", 422),
    "api-dispute-look": ("reissue", 422),
    "api-status": ("reissue", 200),
    "registry-check": ("registry", 200),
    "registry-vote": ("registry", 409),
    "helpdesk-me": ("helpdesk", 200),
    "helpdesk-look": ("helpdesk", 404),
    "helpdesk-data": ("helpdesk", 404),
    "helpdesk-act": ("helpdesk", 404),
    "helpdesk-proposals": ("helpdesk", 200),
    "helpdesk-decide": ("helpdesk", 404),
    "helpdesk-shift": ("helpdesk", 200),
    "helpdesk-end": ("helpdesk", 204),
    "helpdesk-record": ("helpdesk", 200),
}
RECEIPTS = {"ses-bounce", "ses-complaint", "ses-delay", "ses-delivery", "sms-log"}


@pytest.mark.parametrize(("name", "expected"), EVENTS.items())
def test_real_event_is_answered(world: World, name: str, expected: tuple[str, int]) -> None:
    service, status = expected
    assert world.answer(service, load_event(name)).status == status


def test_there_is_an_event_for_each_trigger_of_the_template() -> None:
    proxied = {(load_event(name)["httpMethod"], load_event(name)["resource"]) for name in EVENTS}
    assert proxied | {("DELETE", "/api/login")} == set(operations())
    kinds = {event["Type"] for event in read_template()["Resources"]["NotifyFunction"]["Properties"]["Events"].values()}
    assert kinds == {"DynamoDB", "SQS", "Schedule"}
    others = {path.stem for path in FOLDER.glob("*.json")} - set(EVENTS)
    assert others == {"outbox-stream", "register-stream", "retry-queue", "sweeper", *RECEIPTS}


def test_events_of_delivery_are_taken_even_when_nothing_is_known_of_them(world: World) -> None:
    # The fictional reissue has no voter on this roll and a payload that this key never sealed.
    assert world.wake("notify", load_event("retry-queue")) == {"batchItemFailures": []}
    assert world.wake("notify", load_event("sweeper")) == {"overdue": 0}
    assert world.wake("notify", load_event("outbox-stream")) == {"batchItemFailures": []}
    for name in RECEIPTS - {"sms-log"}:
        world.wake("notify", load_event(name))
    world.wake("notify", load_event("sms-log"))
    assert not world.emails + world.sms


def test_template_brings_receipts_from_the_topic_and_from_both_logs() -> None:
    resources = read_template()["Resources"].values()
    target = {"Fn::GetAtt": "NotifyFunction.Arn"}
    subscribed = [part["Properties"] for part in resources if part["Type"] == "AWS::SNS::Subscription"]
    assert [(part["TopicArn"], part["Endpoint"]) for part in subscribed] == [({"Ref": "ReceiptsTopic"}, target)]
    filters = [part["Properties"] for part in resources if part["Type"] == "AWS::Logs::SubscriptionFilter"]
    # The stack's own groups, or those of the stack that has made them for the account: the same two
    # names.
    of_sms = "sns/${AWS::Region}/${AWS::AccountId}/DirectPublishToPhoneNumber"
    assert [part["LogGroupName"]["Fn::If"] for part in filters] == [
        ["OwnAccountResources", {"Ref": "SmsDeliveredLogs"}, {"Fn::Sub": of_sms}],
        ["OwnAccountResources", {"Ref": "SmsFailedLogs"}, {"Fn::Sub": f"{of_sms}/Failure"}],
    ]
    assert all(part["DestinationArn"] == target for part in filters)


@pytest.mark.req("S17")
def test_session_cookie_is_the_one_that_the_description_names() -> None:
    schemes = description()["components"]["securitySchemes"]
    assert schemes["session"] == {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE}
