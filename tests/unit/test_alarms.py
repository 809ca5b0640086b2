"""Every alarm of the template watches something that exists and names the section of the runbook
that helps.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from alarms.table import thresholds
from alarms.template import ELECTIONS, TEMPLATE, template, written
from notify.meters import Meters
from reassort.outbox import Channel

from harness.elections import IDS, election_content, read_election, write_election
from harness.engines.template import CloudFormationLoader, read_template
from tests.watching import ALARM_TYPES, OF_THIS_STACK, counted_from_logs, emitted, resources_of, written_metrics

if TYPE_CHECKING:
    from pathlib import Path

RUNBOOK = TEMPLATE.parent / "docs" / "runbook.md"
_PARTS = ("Meaning", "Look", "Do", "Tell voters")


def _alarms() -> dict[str, dict[str, Any]]:
    return resources_of(*ALARM_TYPES)


def _sections() -> dict[str, str]:
    """Return what the runbook says of each alarm; sections with a capital are of something else."""
    _, *parts = re.split(r"^## (.+)$", RUNBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    named = zip(parts[::2], parts[1::2], strict=True)
    return {name: text for name, text in named if re.fullmatch(r"[a-z-]+", name)}


def _of_election(value: Any, election_id: str) -> Any:
    """Resolve what an alarm takes from the mapping of thresholds; anything else stays as it is."""
    if isinstance(value, dict) and "Fn::FindInMap" in value:
        mapping, parameter, key = value["Fn::FindInMap"]
        assert (mapping, parameter) == ("Watch", {"Ref": "Election"})
        return read_template()["Mappings"]["Watch"][election_id][key]
    if isinstance(value, dict) and "Fn::Sub" in value:
        text, variables = value["Fn::Sub"]
        return re.sub(r"\$\{(\w+)\}", lambda name: _of_election(variables[name[1]], election_id), text)
    return value


def _shares() -> dict[str, list[dict[str, Any]]]:
    """Return the queries of each alarm that divides metrics of the stack."""
    return {
        name: alarm["Metrics"]
        for name, alarm in _alarms().items()
        if any("MetricStat" in q for q in alarm.get("Metrics", []))
    }


def _percent(expression: str, values: dict[str, float]) -> float:
    """Work out `IF(a < floor, otherwise, 100 * …)`."""
    found = re.fullmatch(r"IF\((\w+) < (\d+), (\d+), ([\w *+/()]+)\)", expression)
    assert found is not None
    if values[found[1]] < int(found[2]):
        return float(found[3])
    return float(eval(found[4], {"__builtins__": {}}, values))  # noqa: S307 - arithmetic over our own template


@pytest.mark.parametrize("name", _alarms())
def test_alarm_names_its_section_of_the_runbook(name: str) -> None:
    found = re.search(r"\(docs/runbook\.md#([a-z-]+)\)$", _alarms()[name]["AlarmDescription"])
    assert found is not None
    sections = re.findall(r"^## ([a-z-]+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert found[1] in sections


def test_every_section_of_the_runbook_has_an_alarm() -> None:
    sections = re.findall(r"^## ([a-z-]+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    descriptions = "\n".join(alarm["AlarmDescription"] for alarm in _alarms().values())
    named = set(re.findall(r"#([a-z-]+)\)", descriptions))
    assert set(sections) == named


@pytest.mark.parametrize("section", _sections())
def test_section_of_the_runbook_has_its_four_parts(section: str) -> None:
    before, *parts = re.split(r"^\*\*([A-Z][\w ]+)\.\*\*", _sections()[section], flags=re.MULTILINE)
    assert not before.strip()
    assert tuple(parts[::2]) == _PARTS
    assert all(len(text.split()) >= 3 for text in parts[1::2])


@pytest.mark.parametrize("name", [name for name, alarm in _alarms().items() if alarm.get("Namespace") == OF_THIS_STACK])
def test_alarm_watches_a_metric_that_is_written(name: str) -> None:
    alarm = _alarms()[name]
    dimensions = frozenset(dimension["Name"] for dimension in alarm.get("Dimensions", []))
    assert (alarm["MetricName"], dimensions) in written_metrics()


def test_alarm_on_domains_asks_for_a_metric_that_is_written() -> None:
    query = _alarms()["DomainFailuresAlarm"]["Metrics"][0]["Expression"]["Fn::Sub"]
    found = re.fullmatch(r'SELECT AVG\((\w+)\) FROM SCHEMA\("\$\{AWS::StackName\}", (\w+), (\w+)\) .*', query)
    assert found is not None
    assert (found[1], frozenset(found.groups()[1:])) in written_metrics()


@pytest.mark.parametrize("name", _shares())
def test_alarm_on_a_share_divides_metrics_of_one_log(name: str) -> None:
    *queries, percent = _shares()[name]
    assert percent["ReturnData"] is True
    metrics = [query["MetricStat"]["Metric"] for query in queries]
    assert all(metric["Namespace"] == OF_THIS_STACK for metric in metrics)
    resources = read_template()["Resources"]
    groups = {
        part["Properties"]["MetricTransformations"][0]["MetricName"]: part["Properties"]["LogGroupName"]["Ref"]
        for part in resources.values()
        if part["Type"] == "AWS::Logs::MetricFilter"
    }
    # A filter's default gives a zero for each minute in which its group has any line: of one group,
    # neither is missing.
    assert len({groups[metric["MetricName"]] for metric in metrics}) == 1


def test_every_count_of_the_logs_has_a_default_and_an_alarm_or_a_graph() -> None:
    watched = {alarm.get("MetricName") for alarm in _alarms().values()}
    watched |= {q["MetricStat"]["Metric"]["MetricName"] for queries in _shares().values() for q in queries[:-1]}
    body, _ = resources_of("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    assert {name for name in counted_from_logs() if f'"{name}"' not in body} <= watched
    assert {"CodesQueued", "WrongNumens", "WrongCodes", "NumenLocks", "ManyCodes", "Disputes"} <= watched
    filters = [part for part in read_template()["Resources"].values() if part["Type"] == "AWS::Logs::MetricFilter"]
    assert all(part["Properties"]["MetricTransformations"][0]["DefaultValue"] == 0 for part in filters)


@pytest.mark.parametrize(
    ("name", "values", "rings"),
    [
        # Five minutes of 3,000 reissues each, one NUMEN in twelve mistyped.
        ("WrongNumensAlarm", {"wrong": 1250, "right": 15000}, False),
        ("WrongNumensAlarm", {"wrong": 49, "right": 0}, False),
        ("WrongNumensAlarm", {"wrong": 50, "right": 0}, True),
        ("WrongNumensAlarm", {"wrong": 500, "right": 1000}, True),
        ("WrongNumensAlarm", {"wrong": 0, "right": 0}, False),
        ("WrongCodesAlarm", {"wrong": 1600, "right": 15000}, False),
        ("WrongCodesAlarm", {"wrong": 1000, "right": 800}, True),
        ("UnusedCodesAlarm", {"queued": 20000, "used": 15000}, False),
        ("UnusedCodesAlarm", {"queued": 299, "used": 0}, False),
        ("UnusedCodesAlarm", {"queued": 300, "used": 50}, True),
        ("UnusedCodesAlarm", {"queued": 0, "used": 0}, False),
    ],
)
def test_alarm_on_a_share_rings_at_an_attack_and_not_at_a_rush(
    name: str, values: dict[str, float], rings: bool
) -> None:
    alarm = _alarms()[name]
    percent = _percent(_of_election(alarm["Metrics"][-1]["Expression"], "dijon-2018"), values)
    below = alarm["ComparisonOperator"] == "LessThanThreshold"
    threshold = int(_of_election(alarm["Threshold"], "dijon-2018"))
    assert rings is (percent < threshold if below else percent > threshold)


def test_alarms_and_dashboard_are_those_of_the_election_files_and_the_table() -> None:
    assert TEMPLATE.read_text(encoding="utf-8") == written(), "make alarms"


@pytest.mark.parametrize("election_id", IDS)
def test_an_election_file_moves_its_alarms(tmp_path: Path, election_id: str) -> None:
    changed = {**election_content(election_id)["watch"], "waiting_minutes": 7}
    write_election(tmp_path, election_id, watch=changed)
    moved = written(tmp_path)
    assert list(yaml.load(moved, CloudFormationLoader)["Mappings"]["Watch"]) == [election_id]  # noqa: S506 - a safe one
    assert 'WaitingSeconds: "420"' in moved


def test_every_threshold_is_used_and_a_constant_one_is_none_at_all() -> None:
    used = set()
    for name, alarm in _alarms().items():
        threshold = alarm.get("Threshold", 0)
        assert threshold == 0 or "Fn::FindInMap" in threshold, name
        used |= set(re.findall(r"'Fn::FindInMap': \['Watch', \{'Ref': 'Election'\}, '(\w+)'\]", str(alarm)))
    assert used == set(thresholds(read_election(IDS[0])))


def test_a_description_names_the_member_that_its_threshold_comes_from() -> None:
    members = set(type(read_election(IDS[0]).watch).model_fields)
    for name, alarm in _alarms().items():
        assert set(re.findall(r"watch\.(\w+)", alarm["AlarmDescription"])) <= members, name


@pytest.mark.parametrize("name", _alarms())
def test_alarm_rings_and_ends(name: str) -> None:
    assert _alarms()[name]["AlarmActions"] == _alarms()[name]["OKActions"] == [{"Ref": "AlarmTopic"}]


def test_the_local_stack_has_the_alarms_that_are_deployed() -> None:
    """It is deployed from the content, an account from the text."""
    assert yaml.load(written(), CloudFormationLoader) == template(ELECTIONS)  # noqa: S506 - a safe one


@pytest.mark.req("I7", "S23")
def test_only_the_elections_domains_are_told_apart() -> None:
    lines: list[str] = []
    meters = Meters("reassort", ["ac-dijon.fr"], lines.append)
    meters.count_hand_over(Channel.EMAIL, 1, "somebody-at-home.example")
    assert "somebody" not in lines[0]
    assert {key for line in emitted() for key in line} <= {
        "_aws", "channel", "domain", "reason", "lane", "HandedOverAfter", "Failed", "FailurePercent", "Delivered",
        "Undelivered", "Complaints", "Parked", "UnknownReceipts", "Waiting", "OldestWaiting", "OldestOverdue",
        "UnusableKeys", "SmsCapUsed", "CodesUsed", "SmsSpend", "CanarySeconds", "CanariesMissing",
    }  # fmt: skip


def _rings(rule: str, ringing: set[str]) -> bool:
    """Work out the rule of a composite alarm when these alarms ring."""
    said = re.sub(r'ALARM\("\$\{(\w+)\}"\)', lambda name: str(name[1] in ringing), rule)
    said = said.replace(" AND ", " and ").replace(" OR ", " or ")
    assert re.fullmatch(r"(?:True|False|and|or|[() ])+", said), said
    return bool(eval(said, {"__builtins__": {}}))  # noqa: S307 - nothing but True, False, and, or


def _composite() -> str:
    (alarm,) = resources_of("AWS::CloudWatch::CompositeAlarm").values()
    rule: str = alarm["AlarmRule"]["Fn::Sub"]
    return rule


@pytest.mark.req("R4", "I2")
@pytest.mark.parametrize(
    ("ringing", "rings"),
    [
        # DynamoDB does not answer: voters see it, and the sweeper is silent.
        ({"ApiFaultsAlarm", "OverdueAlarm"}, True),
        ({"LoginErrorsAlarm"}, True),
        ({"ReissueErrorsAlarm"}, True),
        # The mail service of a domain takes nothing.
        ({"CanaryEmailsAlarm"}, True),
        ({"UndeliveredAlarm", "DomainFailuresAlarm"}, True),
        # A deploy broke delivery.
        ({"OutboxAgeAlarm", "NotifyErrorsAlarm"}, True),
        ({"UndeliveredAlarm", "DeadLetterAlarm"}, True),
        # Codes wait until they die.
        ({"UnusedCodesAlarm", "WaitingAlarm"}, True),
        # A carrier is down, or the day's SMS are used up: identifiers go by e-mail.
        ({"CanarySmsAlarm", "SmsFailuresAlarm", "WaitingAlarm"}, False),
        ({"SmsCapAlarm", "SmsSpendAlarm"}, False),
        # One full mailbox, one poison item, one function that was late.
        ({"UndeliveredAlarm"}, False),
        ({"DeadLetterAlarm"}, False),
        ({"NotifyErrorsAlarm"}, False),
        # An attack keeps nobody out.
        ({"WrongNumensAlarm", "NumenLocksAlarm", "WrongCodesAlarm", "ManyCodesAlarm", "UnusedCodesAlarm"}, False),
        # The voting platform's side.
        ({"RegistryErrorsAlarm"}, False),
        (set(), False),
    ],
)
def test_composite_rings_when_voters_cannot_get_identifiers_and_only_then(ringing: set[str], rings: bool) -> None:
    assert ringing <= set(_alarms())
    assert _rings(_composite(), ringing) is rings


def test_composite_is_made_of_alarms_of_the_service_and_each_of_them_matters() -> None:
    rule = _composite()
    named = re.findall(r"\$\{(\w+)\}", rule)
    assert set(named) <= set(resources_of("AWS::CloudWatch::Alarm"))
    for name in named:
        others = [other for other in sorted(set(named)) if other != name]
        assert any(
            _rings(rule, {name, *without}) and not _rings(rule, set(without))
            for chosen in product((False, True), repeat=len(others))
            for without in [[other for other, rings in zip(others, chosen, strict=True) if rings]]
        ), name
