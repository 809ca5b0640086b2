"""Registers that were damaged, each in one way, by what was done to them: whatever checks a file is
held to the same table.

`CASES` gives for each kind of damage some files; those of `sound` are whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from reassort.register import DISPUTE_ACTOR, ELECTION_CHAIN, GENESIS, Change, Entry
from reassort_ops.register.file import SignatureLine, Statement

from tests.unit.ops.registers import SIGNER, LocalSigner, chain, made_up_hash, pseudonym, register_file

STORIES = [
    [Change.ISSUED],
    [Change.ISSUED, Change.REISSUED, Change.VOTED],
    [Change.ISSUED, Change.UNLOCKED, Change.REISSUED, Change.FROZEN, Change.UNFROZEN, Change.REISSUED],
    [Change.ISSUED, Change.VOTED, Change.DISPUTED],
    [Change.ISSUED, Change.REISSUED, Change.DISPUTED, Change.FROZEN],
]
ENTRIES = [entry for number, story in enumerate(STORIES, 1) for entry in chain(pseudonym(number), story)]
FILE = register_file(ENTRIES)
# The line of the first entry.
FIRST = 2
# A header, the entries, one line of fingerprints, the statement, the signature.
LINES = FILE.splitlines(keepends=True)
MANY = [entry for number in range(900) for entry in chain(pseudonym(number), STORIES[number % len(STORIES)])]
# What cannot have happened to a voter, with what is said of the last entry.
IMPOSSIBLE: list[tuple[list[Change], str]] = [
    ([Change.ISSUED, Change.VOTED, Change.REISSUED], "entry 3 (reissued) comes after the vote"),
    ([Change.ISSUED, Change.VOTED, Change.VOTED], "entry 3 (voted) comes after the vote"),
    ([Change.ISSUED, Change.VOTED, Change.FROZEN], "entry 3 (frozen) comes after the vote"),
    ([Change.ISSUED, Change.FROZEN, Change.VOTED], "entry 3 (voted) comes while the identifier is frozen"),
    ([Change.ISSUED, Change.FROZEN, Change.REISSUED], "entry 3 (reissued) comes while the identifier is frozen"),
    ([Change.ISSUED, Change.FROZEN, Change.FROZEN], "entry 3 (frozen) comes while the identifier is frozen"),
    (
        [Change.ISSUED, Change.REISSUED, Change.DISPUTED, Change.VOTED],
        "entry 4 (voted) comes after the identifier was disputed",
    ),
    (
        [Change.ISSUED, Change.FROZEN, Change.DISPUTED, Change.UNFROZEN],
        "entry 4 (unfrozen) comes after the identifier was disputed",
    ),
    ([Change.ISSUED, Change.UNFROZEN], "entry 2 (unfrozen) comes while the identifier is not frozen"),
    ([Change.ISSUED, Change.ISSUED], "entry 2 (issued) is of generation 2, after generation 1"),
    ([Change.REISSUED], "entry 1 (reissued) is of generation 1, after generation 0"),
    ([Change.DISPUTED], "entry 1 (disputed) is of generation 0, after generation 0"),
    *(
        ([Change.ISSUED, change], f"entry 2 ({change.value}) is in a chain of another kind")
        for change in (Change.CLOSED, Change.OPENED, Change.PROLONGED)
    ),
    ([Change.VOTED], "entry 1 (voted) is of generation 0, after generation 0"),
]
# Of the roll: changes of address, removals.
IMPOSSIBLE_ON_THE_ROLL: list[tuple[list[Change], str]] = [
    ([Change.ISSUED, Change.DEPARTED, Change.VOTED], "entry 3 (voted) comes after the voter's change of address"),
    ([Change.ISSUED, Change.DEPARTED, Change.FROZEN], "entry 3 (frozen) comes after the voter's change of address"),
    ([Change.ISSUED, Change.VOTED, Change.DEPARTED], "entry 3 (departed) comes after the vote"),
    ([Change.ISSUED, Change.VOTED, Change.REMOVED], "entry 3 (removed) comes after the vote"),
    ([Change.ISSUED, Change.ARRIVED], "entry 2 (arrived) is of generation 2, after generation 1"),
    ([Change.DEPARTED], "entry 1 (departed) is of generation 0, after generation 0"),
    ([Change.ISSUED, Change.REMOVED, Change.VOTED], "entry 3 (voted) comes while the voter is off the roll"),
    ([Change.ISSUED, Change.REMOVED, Change.REISSUED], "entry 3 (reissued) comes while the voter is off the roll"),
    ([Change.ISSUED, Change.REMOVED, Change.REMOVED], "entry 3 (removed) comes while the voter is off the roll"),
    ([Change.ISSUED, Change.REMOVED, Change.DEPARTED], "entry 3 (departed) comes while the voter is off the roll"),
    ([Change.ISSUED, Change.FROZEN, Change.REMOVED, Change.UNFROZEN], "entry 4 (unfrozen) comes while the voter"),
    ([Change.ISSUED, Change.RESTORED], "entry 2 (restored) comes while the voter is on the roll"),
    ([Change.ISSUED, Change.REMOVED, Change.RESTORED], "entry 3 (restored) gives another status than active"),
]
NO_REGISTERS = [b"", b"\n", b"\n\n\n", b"[" * 200_000, b"\xff" * 10, b"null\n" * 5]


class Impostor(LocalSigner):
    """A key that says it is the right one."""

    @property
    def public_key(self) -> bytes:
        """Return the right one."""
        return SIGNER.public_key


def with_entries(lines: list[bytes]) -> bytes:
    """Return the file with other lines instead of its entries."""
    return b"".join([LINES[0], *lines, *LINES[FIRST - 1 + len(ENTRIES) :]])


def entry_lines(entries: list[Entry] | None = None) -> list[bytes]:
    """Return the lines of entries."""
    return [entry.content + b"\n" for entry in (ENTRIES if entries is None else entries)]


def changed(value: int | str) -> int | str:
    """Return another value of the same form."""
    if isinstance(value, int):
        return value + 1
    return ("1" if value[0] == "0" else "0") + value[1:]


def altered_statement(member: str) -> bytes:
    """Return the file with another value in its statement, and the signature that it had."""
    statement = json.loads(LINES[-2])
    value = statement[member]
    statement[member] = value + 1 if isinstance(value, int) else f"{value}x"
    line = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    return b"".join([*LINES[:-2], line, LINES[-1]])


def signed_again(**members: int | str) -> bytes:
    """Return the file with another statement, signed by the right key."""
    line = json.dumps(json.loads(LINES[-2]) | members, sort_keys=True, separators=(",", ":")).encode()
    signature = SignatureLine.of(SIGNER.sign(line)).to_line()
    return b"".join([*LINES[:-2], line + b"\n", signature + b"\n"])


def rehashed(entries: list[Entry], place: int, *, actor: str) -> list[Entry]:
    """Alter an entry, and fix the rest of its chain as somebody would who knows how it is made."""
    forged = list(entries)
    forged[place] = replace(forged[place], actor=actor)
    for at in range(place + 1, len(forged)):
        if forged[at].voter_id != forged[place].voter_id:
            break
        forged[at] = replace(forged[at], previous=forged[at - 1].hash)
    return forged


def linked(entries: Iterable[Entry], **changes: Mapping[str, object]) -> list[Entry]:
    """Chain entries again, with another content at some places: `_2` is the second."""
    previous, found = GENESIS, []
    for place, entry in enumerate(entries, 1):
        found.append(replace(entry, previous=previous, **changes.get(f"_{place}", {})))  # type: ignore[arg-type]
        previous = found[-1].hash
    return found


def _story(*changes: Change, **altered: Mapping[str, object]) -> bytes:
    return register_file(linked(chain(pseudonym(1), changes), **altered))


def _by_place(damage: Callable[[int], list[Entry]]) -> Iterator[bytes]:
    for place in range(len(ENTRIES)):
        yield with_entries(entry_lines(damage(place)))


def _swapped(place: int) -> list[Entry]:
    other = (place + 3) % len(ENTRIES)
    entries = list(ENTRIES)
    entries[place], entries[other] = entries[other], entries[place]
    return entries


def _inserted(place: int) -> list[Entry]:
    return [*ENTRIES[:place], replace(ENTRIES[place], actor="somebody"), *ENTRIES[place:]]


def _line_forms() -> Iterator[bytes]:
    """Give an entry's line in forms that say the same, or nearly."""
    entry = ENTRIES[3]
    line = entry.content
    forms = [
        line.replace(b'"at":', b'"at": '),
        line.replace(b'"sequence":3', b'"sequence":3.0'),
        line.replace(b'"sequence":3', b'"sequence":3e0'),
        line.replace(b'"sequence":3', b'"sequence":true'),
        line.replace(b'"sequence":3', b'"sequence":-0'),
        line.replace(b'"sequence":3', b'"sequence":NaN'),
        line.replace(b'"sequence":3', b'"sequence":1e+21'),
        line.replace(b'"actor":"voter"', b'"actor":"\\u0076oter"'),
        line.replace(b'"actor":"voter"', b'"actor":"\\ud800"'),
        line.replace(b'"actor":"voter"', b'"actor":"voter","actor":"voter"'),
        line.replace(b'"actor":"voter"', b'"actor":null'),
        line.replace(b'"change":', b'"more":"","change":'),
        line.replace(b'"change":', b'"__proto__":{},"change":'),
        line.replace(b'"change":"voted"', b'"change":"counted"'),
        line.replace(b'"generation":', b'"extra_proof_hash":"","generation":'),
        b"\xef\xbb\xbf" + line,
        line + b" ",
        b"[" + line + b"]",
        line + b"x" * 70_000,
    ]
    for form in forms:
        assert form != line
        lines = entry_lines()
        lines[3] = form + b"\n"
        yield with_entries(lines)


def _signature_forms() -> Iterator[bytes]:
    """Give signatures that are written in another way than DER has, or that are none."""
    der = SignatureLine.from_line(LINES[-1].removesuffix(b"\n")).value
    for other in (
        der + b"\0",
        der[:-1],
        b"",
        b"\x30\x00",
        b"\x31" + der[1:],
        b"\x30\x81" + der[1:],
        # A zero too many in front of the first number.
        bytes([0x30, der[1] + 1, 0x02, der[3] + 1, 0]) + der[4:],
        b"\x30\x06\x02\x01\x00\x02\x01\x00",
        b"\x30\x06\x02\x01\x01\x02\x01\x01",
    ):
        yield b"".join([*LINES[:-1], SignatureLine.of(other).to_line(), b"\n"])
    yield b"".join([*LINES[:-1], LINES[-1].replace(b'="}', b'"}').replace(b'"}', b'\\n"}')])


def _moves() -> Iterator[bytes]:
    """Give changes of address of which a side is missing, and NUMENs of two voters."""
    former, present = pseudonym(1), pseudonym(2)
    left = {"reference": f"{present} septembre", "at": 5}
    came = {"reference": f"{former} septembre", "at": 5, "numen_hash": made_up_hash("numen", former)}
    departed = linked(chain(former, [Change.ISSUED, Change.DEPARTED]), _2=left)
    arrived = linked(chain(present, [Change.ARRIVED, Change.VOTED]), _1=came)
    yield register_file(departed)
    yield register_file(arrived)
    yield register_file([*linked(departed, _2=left | {"numen_hash": made_up_hash("another")}), *arrived])
    numen = {"numen_hash": made_up_hash("numen")}
    yield register_file([one for number in (1, 2) for one in linked(chain(pseudonym(number), STORIES[0]), _1=numen)])


def _second_issues() -> Iterator[bytes]:
    same = {"identifier_hash": made_up_hash("identifier")}
    yield register_file([one for number in (1, 2) for one in linked(chain(pseudonym(number), STORIES[0]), _1=same)])


def _commitments() -> Iterator[bytes]:
    """Give entries that commit to what they should not, or do not to what they should."""
    yield _story(Change.ISSUED, _1={"identifier_hash": ""})
    yield _story(Change.ISSUED, _1={"numen_hash": ""})
    yield _story(Change.ISSUED, Change.CORRECTED, _2={"numen_hash": ""})
    yield _story(Change.ISSUED, Change.FROZEN, _2={"identifier_hash": made_up_hash("one")})
    yield _story(Change.ISSUED, Change.VOTED, _2={"identifier_hash": made_up_hash("another")})
    yield _story(Change.ISSUED, Change.REISSUED, _2={"numen_hash": made_up_hash("one")})


def _many() -> Iterator[bytes]:
    content = register_file(MANY)
    for place in (1023, 1024, len(MANY) - 1):
        lines = content.splitlines(keepends=True)
        lines[1 : 1 + len(MANY)] = entry_lines(rehashed(MANY, place, actor="somebody"))
        yield b"".join(lines)
    lines = content.splitlines(keepends=True)
    yield b"".join(lines[:1200] + lines[1203:])


def _election() -> Iterator[bytes]:
    first = next(chain(ELECTION_CHAIN, [Change.CLOSED]))
    wrong = replace(first, sequence=2, change=Change.OPENED, previous="f" * 64)
    yield register_file([*ENTRIES, first, wrong])
    yield register_file([*ENTRIES, *chain(ELECTION_CHAIN, [Change.ISSUED])])


def _orders() -> Iterator[bytes]:
    one, two = list(chain(pseudonym(1), STORIES[0])), list(chain(pseudonym(2), STORIES[0]))
    yield register_file(two + one)
    yield register_file(one + two + one)


def _links() -> Iterator[bytes]:
    one, two = chain(pseudonym(1), [Change.ISSUED, Change.REISSUED])
    for wrong in ({"sequence": 3}, {"sequence": 1}, {"previous": "f" * 64}, {"generation": 3}):
        yield register_file([one, replace(two, **wrong)])
    yield register_file([replace(one, previous="f" * 64)])


def _fingerprints() -> Iterator[bytes]:
    body, last = LINES[: len(ENTRIES)], LINES[len(ENTRIES)]
    yield b"".join([*body, *LINES[len(ENTRIES) + 1 : -2], last, *LINES[-2:]])
    fingerprints = LINES[-3]
    for other in (
        fingerprints.replace(b'"}', b'0"}'),
        fingerprints.upper().replace(b"FINGERPRINTS", b"fingerprints"),
        b'{"fingerprints":""}\n',
        fingerprints * 2,
        b"",
    ):
        yield b"".join([*LINES[:-3], other, *LINES[-2:]])


def _disputes() -> Iterator[bytes]:
    """Give stories that only who did it makes impossible."""
    by_dispute = {"actor": DISPUTE_ACTOR}
    yield _story(Change.ISSUED, Change.FROZEN, Change.UNFROZEN, _2=by_dispute)
    yield _story(Change.ISSUED, Change.REMOVED, Change.FROZEN)
    yield _story(Change.ISSUED, Change.REMOVED, Change.RESTORED, _3={"reference": "frozen retour"})


CASES: Mapping[str, Callable[[], Iterator[bytes]]] = {
    "entry-altered": lambda: _by_place(
        lambda place: [*ENTRIES[:place], replace(ENTRIES[place], actor="somebody"), *ENTRIES[place + 1 :]]
    ),
    "entry-altered-and-chain-fixed": lambda: _by_place(lambda place: rehashed(ENTRIES, place, actor="somebody")),
    "entry-removed": lambda: _by_place(lambda place: ENTRIES[:place] + ENTRIES[place + 1 :]),
    "entry-inserted": lambda: _by_place(_inserted),
    "entries-swapped": lambda: _by_place(_swapped),
    "voter-removed": lambda: (
        with_entries(entry_lines([entry for entry in ENTRIES if entry.voter_id != pseudonym(number)]))
        for number in range(1, len(STORIES) + 1)
    ),
    "entry-of-many": _many,
    "entry-in-another-form": _line_forms,
    "header": lambda: iter(
        [
            FILE.replace(b"dijon-2018", b"dijon-2019", 1),
            FILE.replace(b"register/2", b"register/3", 1),
            FILE.replace(b"\n", b"\r\n"),
            b"".join(LINES[1:]),
        ]
    ),
    "another-byte": lambda: (
        FILE[:place] + bytes([FILE[place] ^ change]) + FILE[place + 1 :]
        for place in range(0, len(FILE), 199)
        for change in (1, 0x20)
    ),
    "byte-less": lambda: (FILE[:place] + FILE[place + 1 :] for place in range(5, len(FILE), 211)),
    "bytes-more": lambda: (
        FILE[:place] + more + FILE[place:] for place in range(0, len(FILE) + 1, 307) for more in (b"\n", b"\0x")
    ),
    "cut-off": lambda: (FILE[:length] for length in (*range(0, len(FILE), 401), len(FILE) - 1)),
    "no-register": lambda: iter(NO_REGISTERS),
    "another-key": lambda: iter(
        [register_file(ENTRIES, LocalSigner.drawn()), register_file(ENTRIES, Impostor.drawn())]
    ),
    "forged-with-the-true-signature": lambda: iter(
        [b"".join([*register_file(rehashed(ENTRIES, 4, actor="somebody")).splitlines(keepends=True)[:-1], LINES[-1]])]
    ),
    "signature-in-another-form": _signature_forms,
    "statement-altered": lambda: (altered_statement(member) for member in sorted(Statement.model_fields)),
    "statement-signed-again": lambda: (
        signed_again(**{member: changed(json.loads(LINES[-2])[member])})
        for member in (
            *("election", "stack", "started_at", "merkle_root", "fingerprints_sha256", "public_key_sha256"),
            *("entries", "voters", "issued", "active", "revoked", "used", "frozen"),
        )
    ),
    "impossible-story": lambda: (
        register_file(list(chain(pseudonym(1), story))) for story, _ in (*IMPOSSIBLE, *IMPOSSIBLE_ON_THE_ROLL)
    ),
    "impossible-by-who-did-it": _disputes,
    "wrong-link": _links,
    "wrong-commitment": _commitments,
    "wrong-order": _orders,
    "election-chain": _election,
    "fingerprints": _fingerprints,
    "one-sided-move": _moves,
    "second-issue": _second_issues,
}


def sound() -> Iterator[bytes]:
    """Give files that are whole."""
    yield FILE
    yield register_file([])
    first = next(chain(ELECTION_CHAIN, [Change.CLOSED]))
    second = replace(first, sequence=2, change=Change.OPENED, previous=first.hash)
    third = replace(second, sequence=3, change=Change.PROLONGED, previous=second.hash)
    yield register_file([*ENTRIES, first, second, third])
    yield register_file(MANY)
    former, present = pseudonym(1), pseudonym(2)
    left = {"reference": f"{present} septembre", "at": 5}
    came = {"reference": f"{former} septembre", "at": 5, "numen_hash": made_up_hash("numen", former)}
    departed = linked(chain(former, [Change.ISSUED, Change.DEPARTED]), _2=left)
    yield register_file([*departed, *linked(chain(present, [Change.ARRIVED, Change.VOTED]), _1=came)])
    # There and back, and a dispute of a former reissue behind it.
    back = {"reference": f"{present} erreur", "at": 6}
    away = {"reference": f"{former} erreur", "at": 6, "numen_hash": made_up_hash("numen", former)}
    yield register_file(
        [
            *linked(
                chain(former, [Change.ISSUED, Change.DEPARTED, Change.ARRIVED, Change.DISPUTED, Change.VOTED]),
                _2=left,
                _3=back,
                _4={"generation": 1},
            ),
            *linked(chain(present, [Change.ARRIVED, Change.DEPARTED, Change.DISPUTED]), _1=came, _2=away),
        ]
    )
    yield _story(Change.ISSUED, Change.REMOVED, Change.RESTORED, _3={"reference": "active retour"})
    yield _story(Change.ISSUED, Change.REMOVED, Change.FROZEN, _3={"actor": DISPUTE_ACTOR})
    yield _story(Change.ISSUED, Change.REISSUED, Change.REMOVED, Change.DISPUTED)
    # A new identifier from an operator ends a freeze. A dispute of a former one begins none.
    yield _story(Change.ISSUED, Change.FROZEN, Change.REISSUED, Change.VOTED, _3={"actor": "anne"})
    yield _story(Change.ISSUED, Change.REISSUED, Change.DISPUTED, Change.VOTED, _3={"generation": 1})
    # Both proofs, then the further one alone.
    further = {"extra_proof_hash": made_up_hash("further")}
    yield _story(Change.ISSUED, Change.CORRECTED, _1=further, _2=further | {"numen_hash": ""})
