"""An exported register: whatever is done to the file is found, and the first line that is concerned
is named.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reassort.register import ELECTION_CHAIN, Change
from reassort.voters import IdentifierStatus
from reassort_ops.failures import OperatorError
from reassort_ops.register.file import Statement
from reassort_ops.register.file_check import FileCheck, check_register_file, read_public_key
from reassort_ops.register.replay import Replay
from reassort_ops.register.sorted_chains import SortedChains

from tests.unit.ops.damaged_registers import (
    CASES,
    ENTRIES,
    FILE,
    FIRST,
    IMPOSSIBLE,
    LINES,
    MANY,
    NO_REGISTERS,
    STORIES,
    Impostor,
    altered_statement,
    changed,
    entry_lines,
    rehashed,
    signed_again,
    sound,
    with_entries,
)
from tests.unit.ops.registers import NOW, SIGNER, LocalSigner, chain, pseudonym, register_file

if TYPE_CHECKING:
    from pathlib import Path

quick = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
places = st.integers(0, len(ENTRIES) - 1)


def check(folder: Path, content: bytes, signer: LocalSigner = SIGNER) -> FileCheck:
    """Check a file of that content with a key."""
    path = folder / "register.jsonl"
    path.write_bytes(content)
    return check_register_file(path, signer.private_key.public_key())


def named(result: FileCheck) -> tuple[int, str | None, int | None]:
    """Return line, pseudonym and sequence of the line that is named first."""
    assert result.broken is not None
    assert not result.holds
    return result.broken.line, result.broken.voter_id, result.broken.sequence


@pytest.mark.req("I9", "I10")
def test_what_was_signed_verifies(tmp_path: Path) -> None:
    result = check(tmp_path, FILE)
    assert (result.holds, result.signed, result.broken, result.counted.faults) == (True, True, None, [])
    assert (result.counted.voters, result.counted.entries, result.counted.issued) == (5, len(ENTRIES), 9)
    assert result.counted.by_status == {
        IdentifierStatus.ACTIVE: 2,
        IdentifierStatus.REVOKED: 4,
        IdentifierStatus.USED: 2,
        IdentifierStatus.FROZEN: 1,
    }
    assert result.statement is not None
    assert result.statement.finished_at == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.req("I9")
@pytest.mark.parametrize("damage", CASES)
def test_no_damaged_file_holds(tmp_path: Path, damage: str) -> None:
    contents = list(CASES[damage]())
    assert contents
    assert not any(check(tmp_path, content).holds for content in contents)


@pytest.mark.req("I9")
def test_every_sound_file_holds(tmp_path: Path) -> None:
    assert all(check(tmp_path, content).holds for content in sound())


@pytest.mark.req("I9")
class TestAnyChangeIsFound:
    """No byte can be another one, be missing, or be there too often."""

    @quick
    @given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
    def test_another_byte(self, tmp_path: Path, place: int, change: int) -> None:
        changed = bytearray(FILE)
        changed[place] ^= change
        assert not check(tmp_path, bytes(changed)).holds

    @quick
    @given(st.integers(0, len(FILE) - 1))
    def test_a_byte_less(self, tmp_path: Path, place: int) -> None:
        assert not check(tmp_path, FILE[:place] + FILE[place + 1 :]).holds

    @quick
    @given(st.integers(0, len(FILE)), st.binary(min_size=1, max_size=3))
    def test_bytes_more(self, tmp_path: Path, place: int, more: bytes) -> None:
        assert not check(tmp_path, FILE[:place] + more + FILE[place:]).holds

    @quick
    @given(st.integers(0, len(FILE) - 1))
    def test_an_end_that_was_cut_off(self, tmp_path: Path, length: int) -> None:
        result = check(tmp_path, FILE[:length])
        assert (result.holds, result.signed) == (False, False)
        assert any("cut off" in fault for fault in result.counted.faults)

    @pytest.mark.parametrize("content", NO_REGISTERS)
    def test_what_is_no_register_at_all(self, tmp_path: Path, content: bytes) -> None:
        assert not check(tmp_path, content).holds


@pytest.mark.req("I9")
class TestTheFirstBrokenEntryIsNamed:
    """By its line, pseudonym and sequence, even where the one who changed it has made the chains
    whole again.
    """

    @quick
    @given(places)
    def test_altered(self, tmp_path: Path, place: int) -> None:
        lines = entry_lines()
        lines[place] = replace(ENTRIES[place], actor="somebody").content + b"\n"
        entry = ENTRIES[place]
        assert named(check(tmp_path, with_entries(lines))) == (FIRST + place, entry.voter_id, entry.sequence)

    @quick
    @given(places)
    def test_altered_and_rehashed(self, tmp_path: Path, place: int) -> None:
        result = check(tmp_path, with_entries(entry_lines(rehashed(ENTRIES, place, actor="somebody"))))
        assert named(result) == (FIRST + place, ENTRIES[place].voter_id, ENTRIES[place].sequence)
        assert result.broken is not None
        assert result.broken.why == "is not the line that was signed"

    @quick
    @given(places)
    def test_removed(self, tmp_path: Path, place: int) -> None:
        result = check(tmp_path, with_entries(entry_lines(ENTRIES[:place] + ENTRIES[place + 1 :])))
        follower = ENTRIES[place + 1] if place + 1 < len(ENTRIES) else None
        expected = (follower.voter_id, follower.sequence) if follower else (None, None)
        assert named(result) == (FIRST + place, *expected)
        assert result.broken is not None
        assert "missing" in result.broken.why

    @quick
    @given(places)
    def test_inserted(self, tmp_path: Path, place: int) -> None:
        forged = replace(ENTRIES[place], actor="somebody")
        result = check(tmp_path, with_entries(entry_lines([*ENTRIES[:place], forged, *ENTRIES[place:]])))
        assert named(result) == (FIRST + place, forged.voter_id, forged.sequence)

    @quick
    @given(places, places)
    def test_swapped(self, tmp_path: Path, one: int, other: int) -> None:
        if one == other:
            return
        swapped = list(ENTRIES)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        first = min(one, other)
        entry = swapped[first]
        result = check(tmp_path, with_entries(entry_lines(swapped)))
        assert named(result) == (FIRST + first, entry.voter_id, entry.sequence)

    @pytest.mark.parametrize("number", range(1, len(STORIES) + 1))
    def test_a_whole_voter_removed(self, tmp_path: Path, number: int) -> None:
        left = [entry for entry in ENTRIES if entry.voter_id != pseudonym(number)]
        place = next(at for at, entry in enumerate(ENTRIES) if entry.voter_id == pseudonym(number))
        result = check(tmp_path, with_entries(entry_lines(left)))
        assert named(result)[0] == FIRST + place
        assert "voters: 4 in the file, 5 signed" in result.counted.faults

    def test_a_line_that_is_no_entry(self, tmp_path: Path) -> None:
        lines = entry_lines()
        lines[3] = lines[3].replace(b'"at":', b'"at": ')
        result = check(tmp_path, with_entries(lines))
        assert named(result) == (FIRST + 3, None, None)

    def test_the_header(self, tmp_path: Path) -> None:
        result = check(tmp_path, FILE.replace(b"dijon-2018", b"dijon-2019", 1))
        assert named(result) == (1, None, None)
        assert "header and statement are of different exports" in result.counted.faults

    def test_line_ends_that_were_converted(self, tmp_path: Path) -> None:
        result = check(tmp_path, FILE.replace(b"\n", b"\r\n"))
        assert named(result) == (1, None, None)
        assert result.broken is not None
        assert "CRLF" in result.broken.why

    @pytest.mark.parametrize("place", [0, 1023, 1024, 1500, len(MANY) - 1])
    def test_among_many(self, tmp_path: Path, place: int) -> None:
        content = register_file(MANY)
        assert check(tmp_path, content).holds
        forged = rehashed(MANY, place, actor="somebody")
        lines = content.splitlines(keepends=True)
        lines[1 : 1 + len(MANY)] = entry_lines(forged)
        entry = forged[place]
        assert named(check(tmp_path, b"".join(lines))) == (FIRST + place, entry.voter_id, entry.sequence)


@pytest.mark.req("I9")
class TestTheSignature:
    """Only the key that the election bureau holds makes a register theirs."""

    def test_another_key(self, tmp_path: Path) -> None:
        other = LocalSigner.drawn()
        for content, signer in ((FILE, other), (register_file(ENTRIES, other), SIGNER)):
            result = check(tmp_path, content, signer)
            assert (result.holds, result.signed, result.broken) == (False, False, None)
            (fault,) = result.counted.faults
            assert "signed by another key" in fault

    def test_another_key_that_claims_to_be_the_right_one(self, tmp_path: Path) -> None:
        result = check(tmp_path, register_file(ENTRIES, Impostor.drawn()))
        assert (result.holds, result.signed) == (False, False)
        assert result.counted.faults == ["the signature does not fit the statement: one of the two was altered"]

    def test_a_forged_register_with_the_signature_of_the_true_one(self, tmp_path: Path) -> None:
        """Chains, fingerprints, root and counts all fit each other: what is left is the
        signature.
        """
        forged = register_file(rehashed(ENTRIES, 4, actor="somebody")).splitlines(keepends=True)
        result = check(tmp_path, b"".join([*forged[:-1], LINES[-1]]))
        assert (result.holds, result.broken) == (False, None)
        assert result.counted.faults == ["the signature does not fit the statement: one of the two was altered"]

    @pytest.mark.parametrize("member", sorted(Statement.model_fields))
    def test_no_member_of_the_statement_can_change(self, tmp_path: Path, member: str) -> None:
        result = check(tmp_path, altered_statement(member))
        assert (result.holds, result.signed) == (False, False)

    @pytest.mark.parametrize(
        ("member", "fault"),
        [
            ("merkle_root", "the Merkle root is not the signed one: header or entries were changed"),
            ("fingerprints_sha256", "the fingerprints are not the signed ones"),
            ("election", "header and statement are of different exports"),
            ("voters", "voters: 5 in the file, 6 signed"),
            ("entries", f"entries: {len(ENTRIES)} in the file, {len(ENTRIES) + 1} signed"),
            ("issued", "issued: 9 in the file, 10 signed"),
        ],
    )
    def test_what_is_signed_is_not_what_the_file_holds(self, tmp_path: Path, member: str, fault: str) -> None:
        """The key is the right one: each member of the statement is compared by itself."""
        result = check(tmp_path, signed_again(**{member: changed(json.loads(LINES[-2])[member])}))
        assert (result.signed, result.holds) == (True, False)
        assert fault in result.counted.faults

    def test_a_statement_that_names_another_key_than_its_signature(self, tmp_path: Path) -> None:
        result = check(tmp_path, signed_again(public_key_sha256="0" * 64))
        assert (result.signed, result.holds) == (False, False)
        (fault,) = result.counted.faults
        assert "signed by another key" in fault

    def test_what_is_not_a_key_of_a_register(self, tmp_path: Path) -> None:
        def pem(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
            return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

        path = tmp_path / "key.pem"
        wrong = [
            b"",
            SIGNER.pem[:60],
            pem(ec.generate_private_key(ec.SECP384R1()).public_key()),
            pem(rsa.generate_private_key(65537, 2048).public_key()),
        ]
        for content in wrong:
            path.write_bytes(content)
            with pytest.raises(OperatorError, match="key"):
                read_public_key(path)
        path.write_bytes(SIGNER.pem)
        assert read_public_key(path) == SIGNER.private_key.public_key()


class TestReplay:
    """What cannot have happened to a voter is a fault, however well it is chained and signed."""

    @pytest.mark.req("I1", "I5", "I9")
    @pytest.mark.parametrize(("story", "why"), IMPOSSIBLE)
    def test_a_story_that_cannot_be(self, tmp_path: Path, story: list[Change], why: str) -> None:
        result = check(tmp_path, register_file(list(chain(pseudonym(1), story))))
        assert (result.signed, result.holds) == (True, False)
        assert result.broken is not None
        assert (result.broken.sequence, result.broken.why) == (len(story), why)

    @pytest.mark.req("I1", "I9")
    def test_a_generation_that_is_left_out(self) -> None:
        first, second = chain(pseudonym(1), [Change.ISSUED, Change.REISSUED])
        replay = Replay(pseudonym(1))
        assert replay.follow(first, first.hash) is None
        later = replace(second, generation=3)
        assert replay.follow(later, later.hash) == "entry 2 (reissued) is of generation 3, after generation 1"

    @pytest.mark.req("I9")
    @pytest.mark.parametrize(
        ("link", "why"),
        [
            ({"sequence": 3}, "entry 2 is missing"),
            ({"sequence": 1}, "entry 1 is where entry 2 should be"),
            ({"previous": "f" * 64}, "entry 2 does not follow entry 1"),
        ],
    )
    def test_a_link_that_is_wrong_by_itself(self, link: dict[str, Any], why: str) -> None:
        first, second = chain(pseudonym(1), [Change.ISSUED, Change.REISSUED])
        replay = Replay(pseudonym(1))
        assert replay.follow(first, first.hash) is None
        wrong = replace(second, **link)
        assert replay.follow(wrong, wrong.hash) == why

    @pytest.mark.req("I9")
    def test_an_entry_after_the_fingerprints(self, tmp_path: Path) -> None:
        body, last = LINES[: len(ENTRIES)], LINES[len(ENTRIES)]
        result = check(tmp_path, b"".join([*body, *LINES[len(ENTRIES) + 1 : -2], last, *LINES[-2:]]))
        assert (result.signed, result.holds) == (True, False)
        assert result.broken is not None
        assert (result.broken.line, result.broken.why) == (len(ENTRIES) + 2, "comes after the fingerprints")

    @pytest.mark.req("I9")
    def test_pseudonyms_come_once_and_in_order(self, tmp_path: Path) -> None:
        one, two = list(chain(pseudonym(1), STORIES[0])), list(chain(pseudonym(2), STORIES[0]))
        for entries in (two + one, one + two + one):
            result = check(tmp_path, register_file(entries))
            assert (result.signed, result.holds) == (True, False)
            assert result.broken is not None
            assert result.broken.why == "is not in the order of pseudonyms"

    @pytest.mark.req("I9")
    def test_the_election_has_a_chain_that_counts_no_voter(self, tmp_path: Path) -> None:
        first = next(chain(ELECTION_CHAIN, [Change.CLOSED]))
        second = replace(first, sequence=2, change=Change.OPENED, previous=first.hash)
        entries = [*ENTRIES, first, second]
        result = check(tmp_path, register_file(entries))
        assert result.holds
        assert (result.counted.voters, result.counted.entries) == (5, len(ENTRIES) + 2)
        broken = check(tmp_path, register_file([*ENTRIES, first, replace(second, previous="f" * 64)]))
        assert str(broken.broken) == f"line {len(ENTRIES) + 3}, election, entry 2: entry 2 does not follow entry 1"
        alien = check(tmp_path, register_file([*ENTRIES, *chain(ELECTION_CHAIN, [Change.ISSUED])]))
        assert alien.broken is not None
        assert alien.broken.why == "entry 1 (issued) is in a chain of another kind"


@quick
@given(st.dictionaries(st.text("abcXYZ019-_", min_size=1, max_size=5), st.integers(1, 4)), st.integers(1, 200))
def test_chains_are_sorted_however_many_runs_it_takes(tmp_path: Path, lengths: dict[str, int], run_bytes: int) -> None:
    with SortedChains(tmp_path, run_bytes) as chains:
        for voter_id, length in lengths.items():
            chains.add(voter_id, [f"{voter_id} {place}".encode() for place in range(length)])
        found = list(chains.lines())
    assert found == [f"{one} {place}".encode() for one, length in sorted(lengths.items()) for place in range(length)]
    assert list(tmp_path.iterdir()) == []
