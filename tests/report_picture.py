"""`make screenshots`: a report of a fictional week, as docs/screenshots/report.png."""

from __future__ import annotations

import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import boto3
from moto import mock_aws
from PIL import Image
from playwright.sync_api import sync_playwright
from reassort_ops.commands.report import draw
from reassort_ops.report.figures import Figures
from reassort_ops.report.gathering import Gathering
from reassort_ops.report.period import Period

from harness.elections import read_election
from harness.engines.template import create_tables
from harness.service.operated import stack_on
from harness.site.voter_space import launch_chromium
from local.processes import ROOT
from tests.report_history import WEEK_BEGINS, WEEK_ENDS, History, write_week

PICTURE = ROOT / "docs" / "screenshots" / "report.png"
_REGION = "eu-west-3"
_WIDTH = 1360
# Plots and letters need few colours, and the picture half the bytes.
_COLOURS = 48


def figures_of_week(part: float = 1.0) -> Figures:
    """Write the week on moto, or a `part` of its reissues, and gather its figures."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
    # As in tests/unit/ops/conftest.py.
    os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "true")
    election = read_election("dijon-2018")
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name=_REGION)
        cloudwatch = boto3.client("cloudwatch", region_name=_REGION)
        stack = stack_on(create_tables(dynamodb), election.id)
        cloudwatch.put_metric_alarm(
            AlarmName="reassort-SmsSpendAlarm-1",
            Namespace="AWS/SNS",
            MetricName="SMSMonthToDateSpentUSD",
            Statistic="Maximum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1000,
            ComparisonOperator="GreaterThanThreshold",
        )
        write_week(History(dynamodb, stack, election), cloudwatch, part=part)
        period = Period(WEEK_BEGINS.astimezone(election.zone), WEEK_ENDS.astimezone(election.zone), election.zone)
        gathering = Gathering(
            dynamodb=dynamodb,
            cloudwatch=cloudwatch,
            stack=stack,
            election=election,
            period=period,
            now=WEEK_ENDS,
            segments=2,
        )
        return gathering.figures(lambda _: None)


def main() -> int:
    """Write the picture; return the exit status."""
    figures = figures_of_week()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "report.html"
        draw(figures, file, None)
        browser = launch_chromium(playwright.chromium)
        page = browser.new_page(viewport={"width": _WIDTH, "height": 900})
        page.goto(file.as_uri())
        # The plots are the picture; of the tables only what the sources can tell.
        page.evaluate(
            "document.querySelectorAll('details').forEach(one => { one.open = "
            "one.querySelector('#table-sources') !== null })"
        )
        picture = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
        browser.close()
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
