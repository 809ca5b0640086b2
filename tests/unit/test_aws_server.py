"""The embedded AWS unpacks a zip once for all Lambda environments."""

import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.aws_server import SharedZip


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def zipped(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("python/module.py", content)
    return path


def unpacked(archive: Path, folder: Path) -> Path:
    """Unpack as MiniStack does, and return where that leads."""
    folder.mkdir()
    with SharedZip(str(archive)) as opened:
        opened.extractall(str(folder))
    return folder.resolve()


def test_environments_of_one_zip_share_one_copy(scratch: Path) -> None:
    archives = [zipped(scratch, f"{number}.zip", "same = True\n") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        places = set(pool.map(unpacked, archives, (scratch / f"layer_{number}" for number in range(8))))
    (place,) = places
    assert (place / "python" / "module.py").read_text() == "same = True\n"


def test_another_zip_has_another_copy(scratch: Path) -> None:
    places = {
        unpacked(zipped(scratch, f"{word}.zip", f"word = '{word}'\n"), scratch / word) for word in ("former", "new")
    }
    assert {(place / "python" / "module.py").read_text() for place in places} == {"word = 'former'\n", "word = 'new'\n"}


def test_what_was_left_half_unpacked_is_unpacked_again(scratch: Path) -> None:
    place = unpacked(zipped(scratch, "whole.zip", "whole = True\n"), scratch / "first")
    left = place.with_suffix(".part")
    place.rename(left)
    (left / "python" / "module.py").write_text("half")
    place = unpacked(scratch / "whole.zip", scratch / "second")
    assert (place / "python" / "module.py").read_text() == "whole = True\n"
