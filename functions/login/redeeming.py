"""Turning a one-time code into a session."""

from datetime import datetime

from reassort.problems import Code, Problem
from reassort.sessions import Token, draw_token, session_item
from reassort.table_keys import ON_ROLL
from reassort.tables import Action, ConditionFailedError, Item, exists, put_if_absent, write_all

from login.challenge import challenge_item_key, count_try, use_up_challenge
from login.codes import CodeState, state_of
from login.deps import Deps


def redeem_code(code: str, held: Token | None, deps: Deps) -> Token:
    """Turn a code into a session of its voter.

    Raises:
        Problem: `no-challenge` when this browser has not asked for a code; `code-used` or
            `code-expired` when it is one of this browser's; `wrong-code` when it is another;
            `too-many-tries` when the tries are used up.
        ContentionError: the tables are busy.
    """
    if held is None:
        raise Problem(Code.NO_CHALLENGE)
    limits = deps.election.limits.code
    now = deps.clock()
    key = challenge_item_key(deps.keyed_hash, held)
    challenge = count_try(key, now, deps)
    state = state_of(code, held, challenge, now, deps.keyed_hash)
    if state is not CodeState.VALID:
        left = limits.tries - challenge["tries"]
        raise Problem(Code.CODE_EXPIRED if state is CodeState.EXPIRED else Code.WRONG_CODE, attempts_left=left)
    session = draw_token(held.voter_id)
    try:
        write_all(deps.dynamodb, _sign_in_actions(key, challenge, session, now, deps))
    except ConditionFailedError as error:
        # Used a moment ago by another request; or the voter has left the roll since.
        raise Problem(Code.CODE_USED if "challenge" in error.refused else Code.WRONG_CODE) from error
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
        exists("voter", deps.voters_table, {"voter_id": session.voter_id}, ON_ROLL),
    ]
