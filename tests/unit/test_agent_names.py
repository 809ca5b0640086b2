"""How people of the helpdesk are called where others read it."""

import pytest
from reassort.agent_names import actor_names, agent_name, both, is_agent, may_name_operator

NADIA = "bb881877-6d98-54c5-b812-c6223d414e46"


@pytest.mark.req("H5", "I7")
def test_an_agent_is_a_short_number_and_an_operator_keeps_their_name() -> None:
    assert agent_name(NADIA) == "agent BB8-818"
    assert agent_name("anne") == "anne"
    assert [is_agent(name) for name in (NADIA, "anne", f"{NADIA}x", "voter")] == [True, False, False, False]


@pytest.mark.req("S34")
def test_two_who_acted_together_are_both_named() -> None:
    assert both(NADIA, "anne") == f"{NADIA} + anne"
    assert actor_names(both(NADIA, "anne")) == "agent BB8-818 et anne"
    assert actor_names("voting-platform") == "voting-platform"


@pytest.mark.req("S34")
def test_an_operator_is_named_as_nobody_else_is() -> None:
    refused = ("", "voter", "dispute", NADIA)
    assert [may_name_operator(name) for name in (*refused, "anne", "voters")] == [False] * 4 + [True] * 2
