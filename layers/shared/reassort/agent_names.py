"""The name by which others see an agent of the helpdesk.

Tables hold the agent's number in the user pool and no name, because a name is personal data that
the register would keep for a year. Screens show the first digits of that number, short enough for
the phone. `reassort helpdesk list` says whose it is.
"""

from __future__ import annotations

import re

from reassort.register import DISPUTE_ACTOR, VOTER_ACTOR

# Two agents of fifty have the same six digits once in ten thousand elections.
_NUMBER = re.compile(r"([0-9a-f]{3})([0-9a-f]{3})[0-9a-f]{2}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Stands between the two who did something together. No session of AWS has a blank in its name.
_AND = " + "


def is_agent(name: str) -> bool:
    """Tell whether a record names somebody of the user pool, and not an operator."""
    return _NUMBER.fullmatch(name) is not None


def may_name_operator(name: str) -> bool:
    """Tell whether records may name an operator so.

    Operators choose the names of their sessions: none may pass for an agent, or for a voter.
    """
    return name not in {"", VOTER_ACTOR, DISPUTE_ACTOR} and not is_agent(name)


def agent_name(agent: str) -> str:
    """Return for example `agent 3F9-A2C` for somebody of the user pool; an operator as they are
    named.
    """
    number = _NUMBER.fullmatch(agent)
    return agent if number is None else f"agent {number[1].upper()}-{number[2].upper()}"


def both(first: str, second: str) -> str:
    """Return how the register names the two who gave an identifier together."""
    return f"{first}{_AND}{second}"


def actors(actor: str) -> list[str]:
    """Return those whom the register names together."""
    return actor.split(_AND)


def actor_names(actor: str) -> str:
    """Return who did something by the register, in French."""
    return " et ".join(map(agent_name, actors(actor)))
