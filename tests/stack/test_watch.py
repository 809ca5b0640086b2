"""What operators watch, as it was deployed: thresholds of the election, the dashboard, and canaries
from the sweeper to the receipt.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from notify.canary import Canary, sweep_canaries
from notify.wiring import Settings, build
from pydantic import TypeAdapter
from reassort.aws import Clients
from reassort.election import Canaries
from reassort.outbox import Channel, Message
from reassort.tables import from_wire, to_wire

from harness.elections import read_election
from harness.stack.deployed import Deployment, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

MAILBOX = "sonde.reassort@ac-dijon.fr"
HANDSET = "+33612340097"
PLAN = TypeAdapter(Canaries).validate_python(
    {
        "every_minutes": 15,
        "late_after_minutes": 5,
        "targets": [{"domain": "ac-dijon.fr", "mailbox": MAILBOX, "handset": HANDSET}],
    }
)


def test_alarms_have_the_thresholds_of_the_election(deployment: Deployment) -> None:
    watch = read_election(deployment.election.id).watch
    cloudwatch = deployment.client("cloudwatch")

    def threshold(logical_id: str) -> float:
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[f"{deployment.stack.name}-{logical_id}"])["MetricAlarms"]
        value: float = alarm["Threshold"]
        return value

    assert threshold("WaitingAlarm") == watch.waiting_minutes * 60
    assert threshold("SmsCapAlarm") == watch.sms_cap_percent
    assert threshold("DisputesAlarm") == watch.disputes_per_hour
    assert threshold("ReissueErrorsAlarm") == watch.function_errors


def test_dashboard_is_there_and_shows_what_was_deployed(deployment: Deployment) -> None:
    cloudwatch = deployment.client("cloudwatch")
    body = json.loads(cloudwatch.get_dashboard(DashboardName=deployment.stack.name)["DashboardBody"])
    arns = {alarm["AlarmArn"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}
    (states,) = [widget["properties"]["alarms"] for widget in body["widgets"] if widget["type"] == "alarm"]
    assert set(states) <= arns
    assert len(states) > 15
    shown = str(body)
    assert deployment.physical_id("NotifyFunction") in shown
    assert deployment.table("DeliveriesTable") in shown
    assert "${" not in shown


@pytest.fixture
def credentials(deployment: Deployment) -> Mapping[str, str]:
    """Those of delivery's own role, which root may assume for this test as Lambda does."""
    iam = deployment.client("iam")
    role = iam.get_role(RoleName=deployment.physical_id("NotifyRole"))["Role"]
    root = deployment.client("sts").get_caller_identity()["Account"]
    trust = role["AssumeRolePolicyDocument"]
    principal = {"AWS": f"arn:aws:iam::{root}:root"}
    trust["Statement"].append({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=json.dumps(trust))
    held: Mapping[str, str] = deployment.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="canaries")[
        "Credentials"
    ]
    return held


@pytest.mark.req("R12", "S28")
def test_canaries_go_the_whole_way(deployment: Deployment, credentials: Mapping[str, str]) -> None:
    """From the sweeper's write, by the role's own permissions, through stream, delivery and
    receipt.
    """
    now = datetime.now(UTC)
    lines: list[str] = []
    delivery = build(
        _settings(deployment),
        _clients(deployment, credentials),
        lambda: now - timedelta(minutes=PLAN.every_minutes),
        deployment.election.replaced(canaries=PLAN),
        lines.append,
    )
    # The demo has none, so that they are switched on here, a quarter of an hour ago.
    sweep_canaries(delivery)
    later = replace(delivery, clock=lambda: now)
    sweep_canaries(later)
    sweep_canaries(later)

    (mail,) = wait_for(lambda: deployment.mails_to(MAILBOX))
    (text,) = wait_for(lambda: deployment.texts_to(f"0{HANDSET[3:]}"))
    assert "test automatique" in mail.text
    assert "Test automatique" in text

    due_at = int(now.timestamp()) // (PLAN.every_minutes * 60) * PLAN.every_minutes * 60_000
    by_email, by_sms = (Canary("ac-dijon.fr", channel, due_at).delivery_id for channel in (Channel.EMAIL, Channel.SMS))
    wait_for(lambda: _stands(deployment, by_email) == _stands(deployment, by_sms) == "sent")
    deployment.report_email("delivery", MAILBOX, by_email, "canary")
    (sms_id,) = deployment.sms_ids(f"0{HANDSET[3:]}")
    deployment.report_sms(sms_id, "SUCCESS", "Message has been accepted by phone carrier")
    wait_for(lambda: _stands(deployment, by_email) == _stands(deployment, by_sms) == "delivered")

    # When this one is judged, and before the next one is due.
    judged_at = datetime.fromtimestamp(due_at / 1000, UTC) + timedelta(minutes=PLAN.late_after_minutes)
    after = replace(delivery, clock=lambda: max(now, judged_at))
    lines.clear()
    sweep_canaries(after)
    missing: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert {line["CanariesMissing"][0] for line in missing} == {0.0}
    assert {(line["channel"], line.get("domain")) for line in missing} == {
        ("email", None), ("email", "ac-dijon.fr"), ("sms", None), ("sms", "ac-dijon.fr"),
    }  # fmt: skip
    assert len(deployment.mails_to(MAILBOX)) == 1
    assert MAILBOX not in deployment.logged()
    assert HANDSET not in deployment.logged()


def _settings(deployment: Deployment) -> Settings:
    return Settings(
        election=deployment.election.id,
        site_origin="https://reassort.example.fr",
        encryption_key=deployment.stack.outputs["EncryptionKeyId"],
        watched_keys="",
        voters_table=deployment.table("VotersTable"),
        deliveries_table=deployment.table("DeliveriesTable"),
        code_deliveries_table=deployment.table("CodeDeliveriesTable"),
        pace_table=deployment.table("PaceTable"),
        limits_table=deployment.table("LimitsTable"),
        retry_queue="",
        sender_domain="elections.example.fr",
        configuration_set="",
        helpdesk_topic="",
        metrics_namespace="tests",
    )


def _clients(deployment: Deployment, credentials: Mapping[str, str]) -> Clients:
    clients = Clients()
    clients.dynamodb, clients.kms = (deployment.client(name, credentials) for name in ("dynamodb", "kms"))
    clients.ses, clients.sns, clients.sqs = (deployment.client(name, credentials) for name in ("sesv2", "sns", "sqs"))
    return clients


def _stands(deployment: Deployment, delivery_id: str) -> str:
    answer = deployment.client("dynamodb").get_item(
        TableName=deployment.table("DeliveriesTable"), Key=to_wire({"delivery_id": delivery_id}), ConsistentRead=True
    )
    status: str = from_wire(answer["Item"])["messages"][Message.CANARY]["status"]
    return status
