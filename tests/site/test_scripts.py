"""The scripts keep to the types that their comments declare, and work in browsers of some years
ago.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.site.checkers import NODE_PROGRAM
from local.processes import ROOT

COMPILER = ROOT / "tools" / "node" / "node_modules" / "typescript" / "bin" / "tsc"
CONFIGURATION = ROOT / "site" / "tsconfig.json"


def scripts(site: Path) -> list[Path]:
    return sorted((site / "assets").glob("*/*.js"))


def compiled(folder: Path, *names: str) -> str:
    """Return what the compiler says of scripts of a folder, with the options of the site's."""
    project = folder / "tsconfig.json"
    project.write_text(json.dumps({"extends": str(CONFIGURATION), "files": [], "include": list(names)}), "utf-8")
    command: list[str | Path] = [NODE_PROGRAM, COMPILER, "--project", project]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode == 0) == (found.stdout == "")
    return found.stdout


def test_scripts_have_no_type_errors(site: Path, tmp_path: Path) -> None:
    """With the election's facts as they are built, which are what `site/types` tells an editor."""
    shutil.copytree(ROOT / "site" / "scripts", tmp_path, dirs_exist_ok=True)
    shutil.copy(next(site.glob("assets/*/election.js")), tmp_path)
    (tmp_path / "declared.js").write_text(
        'import { election } from "./election.js";\n'
        f'/** @type {{typeof import("{ROOT}/site/types/election.js").election}} */\n'
        "export const declared = election;\n",
        "utf-8",
    )
    assert compiled(tmp_path, "*.js") == ""


@pytest.mark.req("U11")
def test_built_scripts_are_the_sources_without_their_comments(site: Path) -> None:
    for script in scripts(site):
        built = script.read_text("utf-8").splitlines()
        assert not any(line.lstrip().startswith(("//", "*")) for line in built), script.name
        if script.name == "election.js":
            continue
        source = (ROOT / "site" / "scripts" / script.name).read_text("utf-8").splitlines()
        kept = [line for line in source if not line.lstrip().startswith(("//", "*", "/**"))]
        left = [line for line in built if not line.lstrip().startswith("/**")]
        assert left == kept, script.name


def test_compiler_finds_a_type_error(tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.js"
    faulty.write_text("/** @param {string} text */\nexport function twice(text) {\n  return text * 2;\n}\n", "utf-8")
    assert "TS2362" in compiled(tmp_path, faulty.name)


@pytest.mark.req("S20")
def test_scripts_neither_evaluate_text_nor_write_markup(site: Path) -> None:
    forbidden = re.compile(r"\beval\(|\bFunction\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write|javascript:")
    for script in scripts(site):
        assert forbidden.search(script.read_text("utf-8")) is None, script.name


def test_drivers_of_browsers_make_no_function_of_text_in_a_page() -> None:
    """The policy of the pages forbids it, and so does one browser or another; taking the policy off
    would hide what it refuses to voters.
    """
    forbidden = re.compile(r"waitForFunction|waitForSelector|\blocator\(|bypassCSP", re.IGNORECASE)
    drivers = [*(ROOT / "tools" / "node").glob("*.mjs")]
    assert drivers
    for driver in drivers:
        # Their names may stand in a comment.
        code = re.sub(r"/\*.*?\*/", "", driver.read_text("utf-8"), flags=re.DOTALL)
        assert forbidden.search(code) is None, driver.name
    for folder in ("site", "browser"):
        for driver in (ROOT / "tests" / folder).glob("*.py"):
            assert re.search(r"\.wait_for_function\(|bypass_csp\s*=", driver.read_text("utf-8")) is None, driver.name


@pytest.mark.req("U11")
def test_scripts_use_no_lookbehind(site: Path) -> None:
    """Safari before 16.4 refuses a whole script that holds one."""
    for script in scripts(site):
        assert "(?<" not in script.read_text("utf-8"), script.name
