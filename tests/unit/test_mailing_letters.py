"""The mailing file: who may open it, what is in it, and that it is never in memory whole."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from pyrage import EncryptError, decrypt, ssh, x25519
from reassort_ops.failures import OperatorError
from reassort_ops.roll import mailing_file
from reassort_ops.roll.mailing_file import MailingRow, _CsvSource, read_recipients, write_mailing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPENER = x25519.Identity.generate()
AGE_KEY = str(OPENER.to_public())
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN anne"
HEADER = "\ufeffemail;establishment;secretariat;identifier;name;postal_address\r\n"


def letter(number: int) -> MailingRow:
    return MailingRow(f"v{number}@ac-dijon.fr", "École", "", f"ID{number}", "=1+1", "1 rue")


def test_letters_are_written_in_order_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "mailing.age"
    assert write_mailing(path, [OPENER.to_public()], map(letter, range(600))) == 600
    lines = "".join(f"v{number}@ac-dijon.fr;École;;ID{number};'=1+1;1 rue\r\n" for number in range(600))
    assert decrypt(path.read_bytes(), [OPENER]).decode() == HEADER + lines


def test_a_letter_shows_no_voter() -> None:
    row = MailingRow("EMAIL", "School", "Office", "IDENTIFIER", "NAME", "POSTAL")
    assert repr(row) == "MailingRow(establishment='School', secretariat='Office')"


def test_what_is_asked_for_is_read_and_no_more() -> None:
    whole = (HEADER + "v1@ac-dijon.fr;École;;ID1;'=1+1;1 rue\r\n").encode()
    source = _CsvSource([letter(1)])
    assert source.count == 0
    assert source.read(0) == b""
    assert source.count == 0
    assert (source.read(5), source.count) == (whole[:5], 1)
    assert (source.read(0), source.read(1)) == (b"", whole[5:6])
    assert source.read() == whole[6:]
    assert source.read(1) == b""
    assert _CsvSource([letter(1)]).read(-1) == whole


def test_a_read_takes_no_more_letters_than_it_needs() -> None:
    taken: list[int] = []

    def letters() -> Iterator[MailingRow]:
        for number in range(1000):
            taken.append(number)
            yield letter(number)

    source = _CsvSource(letters())
    first = len(next(source._lines))
    at_once = len(taken)
    assert 0 < at_once < 400
    source = _CsvSource(letters())
    taken.clear()
    assert len(source.read(first)) == first
    assert len(taken) == at_once


def test_a_piece_is_more_than_a_buffer() -> None:
    row = MailingRow("a" * (io.DEFAULT_BUFFER_SIZE - len(HEADER) - len(";;;;;\r\n")), "", "", "")
    pieces = list(_CsvSource([row, MailingRow("b", "", "", ""), MailingRow("c", "", "", "")])._lines)
    assert [piece.decode()[-8:] for piece in pieces] == ["b;;;;;\r\n", "c;;;;;\r\n"]


def test_what_ends_the_letters_ends_the_file_with_it(tmp_path: Path) -> None:
    def interrupted() -> Iterator[MailingRow]:
        yield letter(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_mailing(tmp_path / "mailing.age", [OPENER.to_public()], interrupted())
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_encrypted_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise EncryptError("no")

    monkeypatch.setattr(mailing_file, "encrypt_io", refuse)
    with pytest.raises(OSError, match=r"mailing.age: could not be encrypted; check the keys of --recipient"):
        write_mailing(tmp_path / "mailing.age", [OPENER.to_public()], [])


def test_keys_are_read_from_the_line_and_from_files(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# who prints\n\n  # and sends\n {AGE_KEY} \n{SSH_KEY}\n", encoding="utf-8")
    found = read_recipients([AGE_KEY], [file])
    assert [type(one) for one in found] == [x25519.Recipient, x25519.Recipient, ssh.Recipient]
    for empty in (tmp_path / "empty", tmp_path / "blank"):
        empty.write_text("# nobody\n" if empty.name == "empty" else "\n", encoding="utf-8")
        with pytest.raises(OperatorError, match="--issue needs --recipient"):
            read_recipients([], [empty])


def test_a_key_that_is_none_is_named_by_its_place_and_a_secret_one_never_repeated(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# who prints\n{AGE_KEY}\nssh-rsa x\n", encoding="utf-8")
    with pytest.raises(OperatorError) as refused:
        read_recipients([], [file])
    assert str(refused.value).startswith(f"{file}:3: is not a public key of age (age1…) or SSH")
    with pytest.raises(OperatorError, match="--recipient: is not a public key"):
        read_recipients(["age1x"], [])
    with pytest.raises(OperatorError) as refused:
        read_recipients([str(OPENER).lower()], [])
    assert str(refused.value).startswith("--recipient: is a secret key; take the public one")
    assert str(OPENER).lower() not in str(refused.value)
