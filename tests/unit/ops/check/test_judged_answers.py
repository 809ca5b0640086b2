"""What each judgement of a deployed stack makes of one answer, at its edges: what is right may not
be called wrong, and what is wrong may not pass.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from reassort_ops.account.after import alarms, api, edge, functions, messages
from reassort_ops.account.checks import Check, State
from reassort_ops.account.probes import NotSeenError

from harness.elections import read_election
from tests.unit.ops.check.account import PAGE, Account, page, problem
from tests.unit.ops.check.answers import REGION

RIGHT, WRONG = State.PASSED, State.FAILED
GROUP = f"arn:aws:logs:{REGION}:123456789012:log-group:/aws/apigateway/reassort"
YEAR = 31_536_000
POLICY = "default-src 'none'; frame-ancestors 'none'"


def told(check: Check) -> tuple[State, str]:
    return check.state, check.found


# ---------------------------------------------------------------- the API


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"throttlingRateLimit": 0.5, "throttlingBurstLimit": 1}, (RIGHT, "0 a second, 1 in a burst")),
        ({"throttlingRateLimit": 100.0, "throttlingBurstLimit": 0}, (WRONG, "100 a second, 0 in a burst")),
        ({"throttlingRateLimit": 0.0, "throttlingBurstLimit": 200}, (WRONG, "none")),
        ({"throttlingRateLimit": 100.0}, (WRONG, "100 a second, -1 in a burst")),
        ({"throttlingBurstLimit": 200}, (WRONG, "none")),
    ],
)
def test_a_throttle_is_a_rate_and_a_burst(settings: dict[str, Any], found: tuple[State, str]) -> None:
    assert told(api.throttle({"methodSettings": {"*/*": settings}})) == found


def test_a_method_that_says_nothing_of_keys_asks_for_none() -> None:
    resources = [{"path": "/api/login", "resourceMethods": {"POST": {}}}]
    assert told(api.api_keys(resources)) == (RIGHT, "1 method, none asks")
    assert api.api_keys([{"path": "/"}]).state is WRONG


@pytest.mark.parametrize(
    ("found", "names", "state"),
    [(["v1"], ["v1"], RIGHT), (["other"], ["v1"], WRONG), (["v1", "v2"], ["v1", "v2"], WRONG), ([], ["v1"], WRONG)],
)
def test_the_stage_is_the_stacks_and_the_only_one(found: list[str], names: list[str], state: State) -> None:
    check = api.one_stage([{"stageName": name} for name in found], names)
    assert told(check) == (state, ", ".join(found) or "none")


def test_access_log_and_firewall_are_told_by_name() -> None:
    assert told(api.access_log({"accessLogSettings": {"destinationArn": GROUP}})) == (
        RIGHT,
        "/aws/apigateway/reassort",
    )
    arn = f"arn:aws:wafv2:{REGION}:123456789012:regional/webacl/reassort-api/0c1d2e3f"
    assert told(api.firewall({"webAclArn": arn}, "reassort-api|0c1d2e3f|REGIONAL")) == (RIGHT, "reassort-api")
    assert api.firewall({"webAclArn": arn}, "reassort-api|ffff|REGIONAL").state is WRONG
    assert api.firewall({"webAclArn": arn}, "reassort-api").state is WRONG


def test_without_the_stacks_stage_nothing_of_it_is_called_right(account: Account) -> None:
    account.answers.change("apigateway", "GetStages", {"item": [{"stageName": "other"}]})
    found = {name: check.state for name, check in account.after("API: throttle").items()}
    assert found["API: one stage"] is WRONG
    assert {found[f"API: {name}"] for name in ("access log", "throttle", "firewall on the stage")} == {State.UNSEEN}


# ---------------------------------------------------------------- the site


def test_each_header_counts_by_itself() -> None:
    good = {
        "content-security-policy": POLICY,
        "strict-transport-security": f"max-age={YEAR}",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "x-frame-options": "deny",
    }
    assert told(edge.headers(httpx.Response(200, headers=good))) == (RIGHT, "all 5")
    for name, weak in [
        ("content-security-policy", "default-src 'none'"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("content-security-policy", f"{POLICY}; script-src 'unsafe-inline'"),
        ("strict-transport-security", f"max-age={YEAR - 1}"),
        ("x-content-type-options", ""),
        ("referrer-policy", "origin"),
        ("x-frame-options", "SAMEORIGIN"),
    ]:
        check = edge.headers(httpx.Response(200, headers=good | {name: weak}))
        assert told(check) == (WRONG, f"absent or weak: {name}")


@pytest.mark.parametrize(
    ("status", "code", "state"), [(401, "signed-out", RIGHT), (401, "other", WRONG), (403, "signed-out", WRONG)]
)
def test_the_function_answers_with_status_and_code(status: int, code: str, state: State) -> None:
    assert edge.through(problem(status, code, "Vous n’êtes pas connecté")).state is state


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (problem(403, "", "Demande refusée"), "both"),
        (httpx.Response(403, json={"title": "Accès refusé"}), "both"),
        (
            httpx.Response(403, json={"title": "Non"}, headers={"content-type": "application/json"}),
            "403 without accents: Non",
        ),
        (httpx.Response(403, json={"title": "Non", "detail": "Accès refusé"}), "both"),
        (httpx.Response(403, text='{"title": "é"}', headers={"content-type": "application/problem+json"}), "both"),
        (httpx.Response(403, text="no", headers={"content-type": "application/json"}), "403 without accents: no text"),
        (
            httpx.Response(403, json={"title": "Demande refus\ufffde, é"}),
            "403 without accents: Demande refus\ufffde, é",
        ),
        (httpx.Response(403, json={"title": "Demande"}), "403 without accents: Demande"),
        (httpx.Response(403, json={"title": "x" * 70}), f"403 without accents: {'x' * 60}"),
        (httpx.Response(403, content=b"", headers={}), "403 of type none"),
    ],
)
def test_a_refusal_is_french_json(answer: httpx.Response, fault: str) -> None:
    check = edge.refusal(answer, problem(404, "", "Demande refusée"))
    assert told(check) == ((RIGHT, "both") if fault == "both" else (WRONG, f"firewall: {fault}"))


def test_a_missing_page_without_a_type_is_told() -> None:
    assert told(edge.missing(httpx.Response(404, content=b"x"))) == (WRONG, "404, 1 byte of no type")
    assert edge.missing(page(404, PAGE)).state is RIGHT


@pytest.mark.parametrize(
    ("aliases", "addresses", "found"),
    [
        (["first.example", "d1.cloudfront.net"], set(), (RIGHT, "d1.cloudfront.net")),
        (["other.example", "last.example"], set(), (WRONG, "last.example")),
        ([], {"192.0.2.3", "192.0.2.1", "192.0.2.2"}, (WRONG, "192.0.2.1, 192.0.2.2")),
        ([], {"192.0.2.9"}, (RIGHT, "192.0.2.9")),
    ],
)
def test_a_name_leads_to_the_distribution(aliases: list[str], addresses: set[str], found: tuple[State, str]) -> None:
    assert told(edge.points_here(aliases, addresses, "D1.cloudfront.net", {"192.0.2.9"})) == found


# ---------------------------------------------------------------- messages


def test_ses_signs_only_where_it_says_so() -> None:
    assert messages.dkim({"DkimAttributes": {"Status": "SUCCESS"}}).state is WRONG
    assert messages.dkim({"DkimAttributes": {"Status": "SUCCESS", "SigningEnabled": True}}).state is RIGHT


def test_spf_names_ses_whole(account: Account) -> None:
    for record, state in [("v=spf1 include:amazonses.com -all", RIGHT), ("v=spf1 mx -all", WRONG)]:
        account.names.texts_of["b.example.fr"] = ["unrelated", record]
        assert messages.spf("example.fr", "b.example.fr", account.names).state is state
    account.names.texts_of["b.example.fr"] = ["v=spf1 mx -all", "v=spf1 include:amazonses.com -all"]
    assert messages.spf("example.fr", "b.example.fr", account.names).state is WRONG


@pytest.mark.parametrize(
    ("domain", "holder", "found"),
    [
        ("a.b.example.fr", "_dmarc.a.b.example.fr", RIGHT),
        ("a.b.example.fr", "_dmarc.example.fr", RIGHT),
        ("a.b.example.fr", "_dmarc.fr", WRONG),
        ("example.fr", "_dmarc.example.fr", RIGHT),
        ("localhost", "_dmarc.localhost", RIGHT),
        ("localhost", "_dmarc", WRONG),
    ],
)
def test_a_dmarc_policy_is_the_domains_or_one_above(account: Account, domain: str, holder: str, found: State) -> None:
    account.names.texts_of.clear()
    account.names.texts_of[holder] = ["v=DMARC1; p=reject"]
    check = messages.dmarc(domain, account.names)
    assert told(check) == (found, f"{holder}: v=DMARC1; p=reject" if found is RIGHT else "none")


@pytest.mark.parametrize(
    ("given", "role", "state"),
    [
        ("arn:x:role/ours", "arn:x:role/ours", RIGHT),
        ("arn:x:role/other", "arn:x:role/ours", WRONG),
        ("arn:x:role/other", None, RIGHT),
        ("", None, WRONG),
    ],
)
def test_sms_are_logged_under_the_stacks_role_or_under_some(given: str, role: str | None, state: State) -> None:
    attributes = {"DeliveryStatusIAMRole": given, "DeliveryStatusSuccessSamplingRate": "100"}
    check = messages.receipts(attributes, role)
    assert told(check) == (state, f"{given.rpartition('/')[2] or 'no role'}, 100 % of those that arrived")
    assert check.expected == f"{'ours' if role else 'a role'}, 100 % of those that arrived"


def test_both_logs_of_sms_must_reach_the_function() -> None:
    assert told(messages.filters({"sent": ["f"], "failed": []}, "f")) == (WRONG, "none from failed")
    assert told(messages.filters({"sent": ["g", "f"], "failed": ["f"]}, "f")) == (RIGHT, "from 2 log groups")
    with pytest.raises(NotSeenError, match="no such log groups"):
        messages.filters({}, "f")


# ---------------------------------------------------------------- functions, alarms, canaries


def test_reserved_environments_are_those_of_the_parameter() -> None:
    assert told(functions.reserved({}, 0)) == (RIGHT, "0")
    assert told(functions.reserved({"ReservedConcurrentExecutions": 5}, 4)) == (WRONG, "5")
    assert functions.reserved({}, 3).expected == "RegistryConcurrency=3"
    with pytest.raises(NotSeenError, match="RegistryConcurrency=-1"):
        functions.reserved({}, -1)


def test_functions_and_layers_have_one_architecture() -> None:
    other = {"Login": {"Architectures": ["x86_64"]}}
    assert told(functions.architecture(other, {}, "arm64")) == (WRONG, "Login x86_64")
    assert functions.architecture({"Login": {}}, {"Layer": []}, "arm64").state is RIGHT


def test_an_alarm_that_does_not_say_so_is_off() -> None:
    one = {"AlarmName": "A", "AlarmArn": "arn:a", "AlarmActions": ["arn:t"]}
    assert told(alarms.actions({"A": one})) == (WRONG, "switched off: A")
    part = {**one, "AlarmActions": [], "ActionsEnabled": True}
    whole = {"AlarmName": "W", "AlarmArn": "arn:w", "AlarmActions": ["arn:t"], "ActionsEnabled": True}
    assert told(alarms.actions({"A": part, "W": {**whole, "AlarmRule": "ALARM(A)"}})) == (RIGHT, "2 alarms")
    assert alarms.actions({}).state is WRONG


def test_the_latest_action_of_each_alarm_counts() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    failed, done = "Failed to execute action arn:t", "Successfully executed action arn:t"
    early, late = ("A", at, failed), ("A", at + timedelta(hours=1), done)
    assert told(alarms.worked([late, early])) == (RIGHT, "1 alarm")
    check = alarms.worked([("A", at, failed), ("B", at, failed), ("C", at, failed)])
    assert told(check) == (WRONG, f"A: {failed}, B: {failed} and 1 more")


def test_a_metric_behind_one_that_is_there_is_judged_too() -> None:
    there = ("reassort", "Sent", frozenset({("channel", "sms")}))
    wrong = ("reassort", "Sent", frozenset({("lane", "sms")}))
    check = alarms.emitted({"One": [there], "Two": [there, wrong]}, {("reassort", "Sent"): {there}}, "reassort")
    assert told(check) == (WRONG, "emitted with other dimensions: Two")


def test_who_hears_an_alarm_is_counted_by_topic() -> None:
    assert told(alarms.confirmed({"AlarmTopic": ["arn:1", "arn:2"], "HelpdeskTopic": ["arn:3"]})) == (
        RIGHT,
        "AlarmTopic 2, HelpdeskTopic 1",
    )


def test_an_alarm_that_cloudwatch_does_not_have_is_not_called_right(account: Account) -> None:
    found = account.answers.stored("cloudwatch", "DescribeAlarms")["MetricAlarms"]
    account.answers.change("cloudwatch", "DescribeAlarms", {"MetricAlarms": found[1:]})
    name = "Alarms: each tells somebody"
    check = account.after(name)[name]
    assert told(check) == (State.UNSEEN, "CloudWatch has 6 of the stack's 7 alarms")


def test_canaries_are_asked_for_by_channel_within_the_hour(account: Account) -> None:
    asked: list[dict[str, Any]] = []

    def answer(parameters: dict[str, Any]) -> dict[str, Any]:
        asked.append(parameters)
        return {"Label": "x", "Datapoints": [{"Timestamp": "2026-11-20T09:59:00Z", "Maximum": 0.0}]}

    account.answers.compute("cloudwatch", "GetMetricStatistics", answer)
    assert account.after("Canaries: email")["Canaries: email"].state is RIGHT
    assert [one["MetricName"] for one in asked] == ["CanariesMissing", "CanarySeconds"]
    for one in asked:
        assert one["Dimensions"] == [{"Name": "channel", "Value": "email"}]
        assert (one["EndTime"] - one["StartTime"], one["Period"]) == (timedelta(hours=1), 300)


@pytest.mark.parametrize(
    ("edge_of_window", "moved", "state"),
    [
        ("opens_at", timedelta(days=-1), RIGHT),
        ("opens_at", timedelta(days=-1, microseconds=-1), State.UNSEEN),
        ("closes_at", timedelta(microseconds=-1), RIGHT),
        ("closes_at", timedelta(0), State.UNSEEN),
    ],
)
def test_canaries_fly_from_a_day_before_the_window_until_it_closes(
    account: Account, edge_of_window: str, moved: timedelta, state: State
) -> None:
    window = read_election("normandie-2026").windows.reissue
    account.now = getattr(window, edge_of_window) + moved
    account.answers.change(
        "cloudwatch",
        "GetMetricStatistics",
        {"Datapoints": [{"Timestamp": account.now.isoformat(), "Maximum": 0.0}]},
        MetricName="CanariesMissing",
    )
    assert account.after("Canaries: email")["Canaries: email"].state is state
