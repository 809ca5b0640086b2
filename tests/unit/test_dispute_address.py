"""Who receives a disputed reissue: an address of its own, else that of the alarms."""

import re

import pytest
from deployed.scenarios import defaults
from deployed.stack import FilledTemplate

from harness.engines.template import read_template

ALARMS = "exploitants@example.fr"
DISPUTES = "assistance@example.fr"


def endpoints(**parameters: str) -> dict[str, list[str]]:
    """Return the subscribers of each topic of people."""
    template = read_template()
    stack = FilledTemplate(template, defaults(template) | {"AlarmAddress": ALARMS} | parameters)
    topics = {name: template["Resources"][name]["Properties"] for name in ("HelpdeskTopic", "AlarmTopic")}
    return {name: [stack.text(one["Endpoint"]) for one in topic["Subscription"]] for name, topic in topics.items()}


def test_disputes_go_to_their_address_and_alarms_do_not() -> None:
    assert endpoints(DisputeAddress=DISPUTES) == {"HelpdeskTopic": [DISPUTES], "AlarmTopic": [ALARMS]}


def test_without_one_they_go_where_alarms_go() -> None:
    assert endpoints() == {"HelpdeskTopic": [ALARMS], "AlarmTopic": [ALARMS]}


@pytest.mark.parametrize(
    ("address", "taken"), [("", True), (DISPUTES, True), ("assistance", False), ("a b@c.fr", False)]
)
def test_what_is_no_address_is_refused(address: str, taken: bool) -> None:
    pattern = read_template()["Parameters"]["DisputeAddress"]["AllowedPattern"]
    assert (re.fullmatch(pattern, address) is not None) is taken
