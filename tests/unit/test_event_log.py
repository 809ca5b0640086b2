"""What a line of the log has: its facts, the request that it belongs to, and of a fault no text."""

from __future__ import annotations

import json
import logging
from io import StringIO
from typing import Any

import pytest
from botocore.exceptions import ClientError
from reassort.event_log import EventLog

SECRET = "09E9900123ABC"


class LoggedLines:
    """A log of a service of its own, and what it wrote: another one's would keep its keys."""

    def __init__(self, service: str) -> None:
        self.event_log = EventLog(service)
        self._written = StringIO()
        (handler,) = logging.getLogger(service).handlers
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(self._written)

    def __call__(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._written.getvalue().splitlines()]


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> LoggedLines:
    return LoggedLines(request.node.name)


def fail(depth: int) -> None:
    """Fail so many calls further down."""
    if depth:
        fail(depth - 1)
    raise ValueError(SECRET)


@pytest.mark.req("S24")
def test_a_line_begins_with_when_how_bad_and_what(lines: LoggedLines) -> None:
    lines.event_log.record("code asked", voter="v1", queued=0, source=None)
    lines.event_log.warn("code refused")
    told, refused = lines()
    assert list(told)[:3] == ["timestamp", "level", "message"]
    assert (told["level"], told["message"], told["voter"], told["queued"]) == ("INFO", "code asked", "v1", 0)
    assert (refused["level"], refused["message"]) == ("WARNING", "code refused")
    assert "source" not in told


@pytest.mark.req("S24")
def test_lines_of_a_request_have_its_id(lines: LoggedLines) -> None:
    for request in ("first", "second"):
        lines.event_log.begin(request)
        lines.event_log.record("asked")
    assert [line["correlation_id"] for line in lines()] == ["first", "second"]


@pytest.mark.req("S24", "S25")
def test_a_fault_is_told_by_its_kind_and_place_and_never_by_its_text(lines: LoggedLines) -> None:
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": SECRET}}, "GetItem")
    with pytest.raises(ValueError, match=SECRET) as failed:
        fail(8)
    for error in (refusal, failed.value):
        lines.event_log.fault("request failed", error, resource="/api/reissue")
    of_aws, other = lines()
    assert SECRET not in json.dumps([of_aws, other])
    assert (of_aws["level"], of_aws["message"], of_aws["resource"]) == ("ERROR", "request failed", "/api/reissue")
    assert (of_aws["error_type"], of_aws["aws_code"]) == ("ClientError", "AccessDenied")
    assert (other["error_type"], "aws_code" in other) == ("ValueError", False)
    # The last six calls, the innermost at the end.
    first = fail.__code__.co_firstlineno
    assert other["frames"].split(" > ") == [f"fail:{first + 3}"] * 5 + [f"fail:{first + 4}"]
