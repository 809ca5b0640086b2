"""Turning a one-time code into a session."""

from datetime import datetime

from reassort.problems import Code, Problem
from reassort.sessions import Token, draw_token, session_item
from reassort.tables import Action, ConditionFailedError, Item, exists, put_if_absent, write_all

from login.challenge import challenge_item_key, count_try, use_up_challenge
from login.codes import is_code_of
from login.deps import Deps


def redeem_code(code: str, held: Token | None, deps: Deps) -> Token:
    """Turn a code into a session of its voter.

    Raises:
        Problem: `wrong-code` when there is no such challenge, it has expired or the code is
            another; `too-many-tries` when its tries are used up.
        ContentionError: the tables are busy.
    """
    if held is None:
        raise Problem(Code.WRONG_CODE)
    limits = deps.election.limits.code
    now = deps.clock()
    key = challenge_item_key(deps.keyed_hash, held)
    challenge = count_try(key, now, deps)
    if not is_code_of(code, held, challenge, now, deps.keyed_hash):
        left = limits.tries - challenge["tries"]
        raise Problem(Code.WRONG_CODE, attempts_left=left)
    session = draw_token(held.voter_id)
    try:
        write_all(deps.dynamodb, _sign_in_actions(key, challenge, session, now, deps))
    except ConditionFailedError as error:
        # Used a moment ago by another request, or the address is not on the roll.
        raise Problem(Code.WRONG_CODE) from error
    return session


def _sign_in_actions(key: Item, challenge: Item, session: Token, now: datetime, deps: Deps) -> list[Action]:
    item = session_item(
        deps.keyed_hash,
        session,
        address=challenge["address"],
        masked_address=challenge["masked_address"],
        now=now,
        limits=deps.election.limits.session,
    )
    return [
        use_up_challenge(key, now, deps),
        put_if_absent("session", deps.sign_in_table, item, "voter_id"),
        exists("voter", deps.voters_table, {"voter_id": session.voter_id}),
    ]
