"""No module imports itself by way of others, and rooms that are kept apart stay so
(`tools/circles.py`, part of `make check`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import circles

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_whole_tree_is_read() -> None:
    """`make check` looks for circles in it, and for imports that are not allowed."""
    imports = circles.imports_of(*circles.SOURCES, packages=circles.PACKAGES)
    assert len(imports) > 400
    assert {"harness.service.world", "tests.conftest", "bench.cold"} <= imports.keys()


def test_circle_of_types_alone_is_found(tmp_path: Path) -> None:
    """The counterproof."""
    (tmp_path / "rule.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from form import Form\n"
    )
    (tmp_path / "form.py").write_text("import rule\n")
    circle = circles.circle_in(circles.imports_of(tmp_path))
    assert circle in (["form", "rule", "form"], ["rule", "form", "rule"])


def test_import_of_a_room_that_is_kept_apart_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The counterproof, by the command."""
    for name, text in {"bench/cold.py": "BAR = 1\n", "tests/unit/test_cold.py": "from bench import cold\n"}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(circles, "SOURCES", ())
    monkeypatch.setattr(circles, "PACKAGES", (tmp_path / "bench", tmp_path / "tests"))
    monkeypatch.setattr("sys.argv", ["circles.py"])
    assert circles.main() == 1
    assert capsys.readouterr().out.splitlines() == [
        "tests.unit.test_cold imports bench.cold",
        "2 modules: 1 wrong imports",
    ]
