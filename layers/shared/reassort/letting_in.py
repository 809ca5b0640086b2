"""Letting a caller in: the next code that their browser asks for is sent, no matter who besieges
the voter, and from whatever network.

The page draws a number of six digits, which goes with each request for a code and is shown when no
code left. The caller reads it out, and an agent lets that page in. So nobody who asks more often
takes the code in the caller's place. The number opens nothing by itself: the code still goes to the
voter's mailbox.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from reassort.clock import epoch_milliseconds
from reassort.pasted import six_digits
from reassort.table_keys import CODE_BUCKET
from reassort.tables import Action, update

# The action that is refused when nobody asks for codes.
BUCKET_ACTION = "code bucket"

# How long the caller has to press the button. Anyone who tries a thousand numbers meanwhile has one
# chance in a thousand, of using up a code that they cannot read.
LET_IN_FOR = timedelta(minutes=10)


def normalise_request_number(typed: str) -> str | None:
    """Return the six digits of a number as somebody may type it (`482 913`), or None when it cannot
    be one.
    """
    return six_digits(typed)


def let_in_write(sign_in_table: str, voter_id: str, number: str, now: datetime) -> Action:
    """Return the write that lets one code pass beyond the voter's bucket, for the page whose
    requests have this number.

    A second one takes the place of the first. It is refused, as `BUCKET_ACTION`, when nobody has
    asked for a code of this voter in the last two days.
    """
    return update(
        BUCKET_ACTION,
        sign_in_table,
        {"voter_id": voter_id, "key": CODE_BUCKET},
        "SET let_in = :number, let_in_until = :until",
        "attribute_exists(full_at)",
        {":number": number, ":until": epoch_milliseconds(now + LET_IN_FOR)},
    )
