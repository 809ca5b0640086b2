"""How keys fall into buckets, and whether chance explains it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from reassort.identifiers import ALPHABET
from reassort.keyed_hash import KeyedHash, Purpose
from reassort.references import derive_reference
from reassort.table_keys import DUE_SHARDS, due_shard, phone_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

_BUCKETS = 256
URLSAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# A chi-square beyond this comes about once in a thousand tables of even keys.
_IMPROBABLE = 0.001


@dataclass(frozen=True)
class KeySpread:
    """How keys fall into buckets: their number, the fullest bucket against the mean, and how
    probable so uneven a spread is of even keys.
    """

    name: str
    keys: int
    buckets: int
    fullest: float
    probability: float

    @property
    def is_even(self) -> bool:
        """Tell whether chance explains it."""
        return self.probability >= _IMPROBABLE


def spread(name: str, found: Iterable[int], buckets: int) -> KeySpread:
    """Test bucket numbers of keys for evenness (chi-square; its distribution by Wilson and
    Hilferty's cube root).
    """
    counts = Counter(found)
    total = sum(counts.values())
    mean = total / buckets
    chi_square = sum((counts[bucket] - mean) ** 2 / mean for bucket in range(buckets))
    freedom = buckets - 1
    z = ((chi_square / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / (2 / (9 * freedom)) ** 0.5
    return KeySpread(name, total, buckets, max(counts.values()) / mean, 1 - NormalDist().cdf(z))


def spreads(keys: int, draw: Random) -> list[KeySpread]:
    """Make the keys of so many voters and their reissues as the functions do, and see how they
    fall.
    """
    hashes = KeyedHash(draw.randbytes(32))

    def leading(key: str) -> int:
        """Return the first 8 bits of a key in base64url."""
        return (URLSAFE.index(key[0]) << 2) | (URLSAFE.index(key[1]) >> 4)

    voters = [hashes.voter_id(f"prenom.nom{number}@ac-dijon.fr") for number in range(keys)]
    references = [derive_reference(hashes, voter, f"{number:032x}") for number, voter in enumerate(voters)]
    some = range(keys)
    return [
        spread("voters, register, sign-in: `voter_id`", map(leading, voters), _BUCKETS),
        spread(
            "identifiers: `identifier_hash`",
            (leading(hashes.hash(Purpose.IDENTIFIER, f"{number}")) for number in some),
            _BUCKETS,
        ),
        spread(
            "limits: `phone#` + hash",
            (
                leading(phone_key(hashes.hash(Purpose.PHONE, f"+336{number:08d}")).removeprefix("phone#"))
                for number in some
            ),
            _BUCKETS,
        ),
        spread(
            "deliveries: the reference",
            (ALPHABET.index(one[0]) * len(ALPHABET) + ALPHABET.index(one[1]) for one in references),
            len(ALPHABET) ** 2,
        ),
        spread(
            "deliveries, index `due`: its 8 shards",
            (DUE_SHARDS.index(due_shard(one)) for one in references),
            len(DUE_SHARDS),
        ),
    ]
