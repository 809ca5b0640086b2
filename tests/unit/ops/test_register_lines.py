"""The lines of a register's file, each in the one form that docs/register.md gives it."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from reassort.register import Change
from reassort.voters import IdentifierStatus
from reassort_ops.register.file import (
    FINGERPRINTS_START,
    LONGEST_LINE,
    FileFormatError,
    Header,
    SignatureLine,
    Statement,
    entry_from_line,
    fingerprint_lines,
    fingerprints_from_line,
    public_key_sha256,
)

from tests.unit.ops.damaged_registers import LINES
from tests.unit.ops.registers import HEADER, SIGNER, chain, made_up_hash, pseudonym

(ENTRY,) = chain(pseudonym(1), [Change.ISSUED])
STATEMENT = Statement.from_line(LINES[-2].removesuffix(b"\n"))
LINES_A_LINE, BYTES_OF_EACH = 1024, 4


@pytest.mark.req("I9")
def test_fingerprints_are_a_thousand_and_24_to_a_line_and_of_four_bytes() -> None:
    of_lines = bytes(range(256)) * (LINES_A_LINE * BYTES_OF_EACH // 256)
    whole, rest = fingerprint_lines(of_lines + b"\1\2\3\4")
    assert whole == FINGERPRINTS_START + of_lines.hex().encode() + b'"}'
    assert rest == b'{"fingerprints":"01020304"}'
    assert (fingerprints_from_line(whole), fingerprints_from_line(rest)) == (of_lines, b"\1\2\3\4")
    assert len(whole) < LONGEST_LINE
    assert fingerprint_lines(b"") == []


@pytest.mark.req("I9")
@pytest.mark.parametrize(
    "line",
    [
        b'{"fingerprints":"0102030"}',
        b'{"fingerprints":"010203GG"}',
        b'{"fingerprints":"0102030A"}',
        b'{"fingerprints":"01 020304"}',
        b'{"fingerprints":""}',
        b'{"fingerprints":"01020304"} ',
        b'{"fingerprints":"\xff1020304"}',
        b'{"fingerprints":"%s"}' % (b"00" * (LINES_A_LINE * BYTES_OF_EACH + BYTES_OF_EACH)),
    ],
)
def test_fingerprints_have_one_form(line: bytes) -> None:
    with pytest.raises(FileFormatError):
        fingerprints_from_line(line)


@pytest.mark.req("I9")
def test_an_entry_is_read_with_all_that_it_commits_to() -> None:
    for entry in (ENTRY, replace(ENTRY, extra_proof_hash=made_up_hash("proof")), replace(ENTRY, numen_hash="")):
        assert entry_from_line(entry.content) == entry


@pytest.mark.req("I9")
@pytest.mark.parametrize("member", sorted(json.loads(ENTRY.content)))
def test_an_entry_has_all_its_members_and_each_of_its_type(member: str) -> None:
    content = json.loads(ENTRY.content)
    value = content[member]
    others: list[object] = [None, True, 1.5, [value], {"a": value}, str(value) if isinstance(value, int) else 1]
    forms = [{**content, member: other} for other in others]
    if not member.endswith("_hash"):
        forms.append({name: one for name, one in content.items() if name != member})
    for form in [*forms, {**content, "more": 1}, [content], None, "a"]:
        line = json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        with pytest.raises(FileFormatError):
            entry_from_line(line)


@pytest.mark.req("I9")
@pytest.mark.parametrize("line", [b"", b"\xff", b"[" * 60_000, ENTRY.content + b" ", ENTRY.content[:-1]])
def test_what_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises(FileFormatError):
        entry_from_line(line)


@pytest.mark.req("I9")
def test_header_and_statement_have_one_form_each() -> None:
    assert Header.from_line(HEADER.to_line()) == HEADER
    assert Statement.from_line(STATEMENT.to_line()) == STATEMENT
    wrong = json.loads(STATEMENT.to_line())
    for members in ({"more": 1}, {"voters": "5"}, {"voters": True}, {"algorithm": "RSA"}, {"format": "x"}):
        line = json.dumps(wrong | members, sort_keys=True, separators=(",", ":")).encode()
        with pytest.raises(FileFormatError, match="Statement"):
            Statement.from_line(line)
    for line in (HEADER.to_line() + b" ", b"", b"\xff", b"null", STATEMENT.to_line()):
        with pytest.raises(FileFormatError, match="Header"):
            Header.from_line(line)


@pytest.mark.req("I10")
def test_a_statement_says_what_became_of_every_identifier() -> None:
    said = STATEMENT.model_copy(update={"active": 1, "revoked": 2, "used": 3, "frozen": 4})
    assert said.by_status == {
        IdentifierStatus.ACTIVE: 1,
        IdentifierStatus.REVOKED: 2,
        IdentifierStatus.USED: 3,
        IdentifierStatus.FROZEN: 4,
    }


@pytest.mark.req("I9")
def test_a_signature_has_one_form() -> None:
    assert SignatureLine.of(b"\xfb\xff").value == b"\xfb\xff"
    assert SignatureLine.of(b"\xfb\xff").signature == "+/8="
    for text in ("+/9=", "-_8=", "+/8", "+/8=\n", " +/8="):
        with pytest.raises(ValueError, match=r"signature|base64|padding"):
            _ = SignatureLine(signature=text).value


@pytest.mark.req("I9")
def test_keys_are_compared_by_a_fingerprint() -> None:
    assert public_key_sha256(SIGNER.public_key) == sha256(SIGNER.public_key).hexdigest()
