"""`docs/privacy.md` says what is held and for how long: every table and attribute, every queue,
topic, log and bucket.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from reassort_ops.election_control import close_reissues
from reassort_ops.purge import rules_of

from harness.elections import read_election, with_second_person
from harness.engines.template import TEMPLATE, read_template, table_definitions
from harness.service.operated import stack_on
from harness.service.world import World
from tests.component.operators import operator_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = TEMPLATE.parent
_HOLDING = ("AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::Logs::LogGroup", "AWS::S3::Bucket")
_CODE = re.compile(r"`([^`]+)`")
# `SET parked_at = :at`, but neither `messages.code.status = …` nor `#status = …`.
_ASSIGNED = re.compile(r"(?<![\w.#:}])([a-z][a-z_0-9]*) = (?::|if_not_exists|list_append|\1 [+-] :)")
_ADDED = re.compile(r"\bADD (\w+) :")
_DAY_COUNTER = re.compile(r"^(codes|sms|kept)_\d{8}$")


@cache
def document() -> dict[str, list[list[str]]]:
    """Return the rows of the tables of the document, as cells, by the heading that they stand
    under.
    """
    sections: dict[str, list[list[str]]] = {}
    heading = ""
    for line in (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ").strip("`")
        elif line.startswith("| "):
            sections.setdefault(heading, []).append([cell.strip() for cell in line.strip("|").split("|")])
    return sections


def named(table: str) -> set[str]:
    """Return the attributes that the document lists for a table; a key's form in code style is
    none.
    """
    return {
        name
        for row in document()[table][1:]
        for name in _CODE.findall(row[0])
        if "#" not in name and f"`key`: `{name}`" not in row[0]
    }


def resources(*types: str) -> dict[str, dict[str, Any]]:
    """Return the properties of the template's resources of these types by logical id."""
    found = read_template()["Resources"]
    return {name: part.get("Properties", {}) for name, part in found.items() if part["Type"] in types}


def row_of(logical_id: str) -> list[str]:
    """Return the document's row about a queue, topic, log group or bucket."""
    rows = document()["Queues, topics, logs and the bucket"]
    (row,) = [row for row in rows if f"`{logical_id}`" in row[0]]
    return row


@cache
def assigned_in_the_code() -> set[str]:
    """Return every attribute that an update expression of the functions or the command assigns."""
    sources = [path for folder in ("functions", "layers/shared", "ops") for path in (ROOT / folder).rglob("*.py")]
    texts = [text for path in sources for text in _strings(path)]
    return {name for text in texts for pattern in (_ASSIGNED, _ADDED) for name in pattern.findall(text)}


def _strings(path: Path) -> Iterator[str]:
    """Give the strings of a module; what an f-string puts in is a `}`, which no attribute
    follows.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.fixture(scope="module")
def written() -> dict[str, set[str]]:
    """Return the attributes that each table held at some time, when much of what can happen to
    voters has happened.
    """
    seen: dict[str, set[str]] = {table: set() for table in table_definitions()}

    def look(world: World) -> None:
        for table, names in seen.items():
            for item in world.items(table):
                names.update(_DAY_COUNTER.sub(r"\1_YYYYMMDD", name) for name in item)

    with World(with_second_person()) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        browser = world.browser()
        for _ in range(3):
            browser.call("POST", "/api/login", {"email": claire.email})
            look(world)
            world.run_outbox()
            world.clock.move(minutes=2)
        browser.call("POST", "/api/login/code", {"code": world.code_for(claire.email)})
        world.notify.pace.take_kept_code("network", world.clock())
        look(world)
        browser.reissue("99Z9999999ZZZ", "06 12 34 56 78", "sms")
        first = browser.reissue(claire.numen, "06 12 34 56 78", "sms").json["reference"]
        look(world)
        world.run_outbox()
        look(world)
        second = browser.reissue(claire.numen, "06 12 34 56 78", "sms").json["reference"]
        world.run_outbox()
        look(world)
        assert world.delivery(first).superseded_at is not None
        (mail,) = [mail for mail in world.mail_about(second) if "contestation.html#" in mail.text]
        token = re.search(r"contestation\.html#(\S+)", mail.text)
        assert token is not None
        assert browser.call("POST", "/api/dispute", {"token": token[1]}).status == 202
        paul = world.enrol(
            "paul.petit@u-bourgogne.fr", "21G0100456XYZ", "7K3M-9QWX-2TBD-HV5S", extra_proof="1968-03-17"
        )
        assert world.vote(paul.identifier).status == 200
        world.run_outbox()
        world.agent("marie", "agent").look(paul.email)
        world.agent("marie", "agent").act("let-in", claire.email, number="482913")
        world.agent("marie", "agent").act("reissue", claire.email)
        world.agent("sacha", "supervisor").end("paul")
        close_reissues(world.election, "leak", operator_of(world))
        look(world)
    return seen


class TestTables:
    """Every table and attribute."""

    @pytest.mark.req("I7")
    @pytest.mark.parametrize("table", table_definitions())
    def test_every_attribute_that_was_written_is_listed(self, written: dict[str, set[str]], table: str) -> None:
        assert written[table]
        assert written[table] - named(table) == set()

    def test_every_attribute_that_the_code_assigns_is_listed(self) -> None:
        assigned = assigned_in_the_code()
        assert {"parked_at", "fell_back", "voted_at", "numen_failures", "next_at", "used_at"} <= assigned
        listed = set().union(*(named(table) for table in table_definitions()))
        assert assigned - listed == set()

    @pytest.mark.parametrize("table", table_definitions())
    def test_nothing_is_listed_that_nothing_writes(self, written: dict[str, set[str]], table: str) -> None:
        assert named(table) - written[table] - assigned_in_the_code() == set()

    def test_the_keys_are_listed(self) -> None:
        for table, definition in table_definitions().items():
            assert {part["AttributeName"] for part in definition["KeySchema"]} <= named(table), table


class TestEveryEnd:
    """Everything has an end, and the document says which."""

    def test_every_table_is_purged_and_what_has_an_end_of_its_own_has_a_ttl(self) -> None:
        definitions = table_definitions()
        stack = stack_on({name: name for name in definitions}, "dijon-2018")
        rules = {rule.name: rule for rule in rules_of(stack, read_election("dijon-2018"))}
        assert set(rules) == set(definitions)
        for table, definition in definitions.items():
            ttl = definition.get("TimeToLiveSpecification")
            assert rules[table].has_own_end == (ttl == {"AttributeName": "expires_at", "Enabled": True}), table
            assert tuple(part["AttributeName"] for part in definition["KeySchema"]) == rules[table].key
            ends = [row[4] for row in document()[table]]
            assert any("`reassort purge`" in end for end in ends)
            assert any("TTL" in end for end in ends) == rules[table].has_own_end

    def test_every_item_of_a_table_with_a_ttl_has_an_end(self, written: dict[str, set[str]]) -> None:
        with World() as world:
            claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
            browser = world.browser()
            browser.sign_in(claire.email)
            browser.reissue(claire.numen, "06 12 34 56 78", "sms")
            world.run_outbox()
            world.agent("marie", "agent").look(claire.email)
            close_reissues(world.election, "leak", operator_of(world))
            for table, names in written.items():
                assert ("expires_at" in names) == all("expires_at" in item for item in world.items(table)), table

    @pytest.mark.parametrize("logical_id", resources(*_HOLDING))
    def test_every_queue_topic_log_and_bucket_is_listed(self, logical_id: str) -> None:
        assert row_of(logical_id)

    @pytest.mark.parametrize("logical_id", resources("AWS::Logs::LogGroup"))
    def test_a_log_is_kept_as_long_as_the_document_says(self, logical_id: str) -> None:
        days = resources("AWS::Logs::LogGroup")[logical_id]["RetentionInDays"]
        said = row_of(logical_id)[3]
        if days == {"Ref": "LogRetentionDays"}:
            parameter = read_template()["Parameters"]["LogRetentionDays"]
            assert parameter["Default"] == max(parameter["AllowedValues"])
            assert said == f"{parameter['Default']} days, or less by `LogRetentionDays`"
        else:
            assert said == f"{days} day{'s' if days > 1 else ''}"

    @pytest.mark.parametrize("logical_id", resources("AWS::SQS::Queue"))
    def test_a_queue_keeps_as_long_as_the_document_says(self, logical_id: str) -> None:
        seconds = resources("AWS::SQS::Queue")[logical_id]["MessageRetentionPeriod"]
        assert row_of(logical_id)[3] == f"{seconds // 86_400} days"

    def test_no_log_is_written_whose_group_the_template_does_not_own(self) -> None:
        groups = resources("AWS::Logs::LogGroup")
        for function in resources("AWS::Serverless::Function").values():
            assert function["LoggingConfig"]["LogGroup"]["Ref"] in groups
        (api,) = resources("AWS::Serverless::Api").values()
        assert [setting["LoggingLevel"] for setting in api["MethodSettings"]] == ["OFF"]
        assert not any("LoggingConfiguration" in bucket for bucket in resources("AWS::S3::Bucket").values())
        (distribution,) = resources("AWS::CloudFront::Distribution").values()
        assert "Logging" not in distribution["DistributionConfig"]

    def test_durations_of_the_elections_are_those_of_the_document(self) -> None:
        text = " ".join((ROOT / "docs" / "privacy.md").read_text(encoding="utf-8").split())
        for election_id in ("dijon-2018", "normandie-2026"):
            days = read_election(election_id).retention.roll_days
            assert f"{days} in `elections/{election_id}.yaml`" in text
