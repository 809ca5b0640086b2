"""A file that is written is there whole and on the disk, or as it was before."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from reassort_ops.whole_file import flush_folder, whole_file, whole_text

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_there_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "register.jsonl"
    with whole_file(path) as file:
        file.write(b"one\n")
        assert not path.exists()
        file.write(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    assert names(tmp_path) == ["register.jsonl"]


def test_its_owner_alone_may_read_it_from_its_first_byte_on(tmp_path: Path) -> None:
    path = tmp_path / "register.jsonl"
    before = os.umask(0)
    try:
        with whole_file(path) as file:
            assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("fault", [OSError, KeyboardInterrupt])
def test_a_former_file_stays_when_writing_ends_early(tmp_path: Path, fault: type[BaseException]) -> None:
    path = tmp_path / "register.jsonl"
    path.write_bytes(b"former")

    def write() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise fault

    with pytest.raises(fault):
        write()
    assert path.read_bytes() == b"former"
    assert names(tmp_path) == ["register.jsonl"]


def test_what_a_killed_run_left_is_in_nobodys_way(tmp_path: Path) -> None:
    path, left = tmp_path / "register.jsonl", tmp_path / "register.jsonl.part"
    left.write_bytes(b"a line of a former run")
    left.chmod(0o644)
    with whole_file(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(tmp_path) == ["register.jsonl"]


def test_a_folder_that_is_not_there_is_said_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "none" / "register.jsonl"
    with pytest.raises(FileNotFoundError, match=r"register\.jsonl\.part"), whole_file(path):
        pass


def test_the_disk_has_all_of_it_before_its_name_and_then_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, part, fsync = tmp_path / "register.jsonl", tmp_path / "register.jsonl.part", os.fsync
    flushed: list[tuple[str, list[str], bytes]] = []

    def note(descriptor: int) -> None:
        what = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        flushed.append((what, names(tmp_path), part.read_bytes() if part.exists() else b""))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    with whole_file(path) as file:
        file.write(b"whole")
    assert flushed == [("file", ["register.jsonl.part"], b"whole"), ("folder", ["register.jsonl"], b"")]


@pytest.mark.parametrize("refused", [False, True], ids=["the folder is flushed", "the system cannot"])
def test_the_folder_is_closed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, refused: bool) -> None:
    asked: list[int] = []

    def note(descriptor: int) -> None:
        asked.append(descriptor)
        if refused:
            raise OSError

    monkeypatch.setattr(os, "fsync", note)
    flush_folder(tmp_path / "register.jsonl")
    (descriptor,) = asked
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_text_keeps_its_ends_of_lines_and_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    with whole_text(path, "cp1252") as text:
        text.write("é\n")
        text.write("à\r\n")
    assert path.read_bytes() == b"\xe9\n\xe0\r\n"
    with whole_text(path) as text:
        text.write("é")
    assert path.read_bytes() == "é".encode()
