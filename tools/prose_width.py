"""Comments of at most 100 columns in scripts, style sheets, YAML and makefiles, so that they can be
read beside something else, and all but makefiles of at most 120. Python's are ruff's (W505, E501),
Markdown is markdownlint's (MD013).

    python tools/prose_width.py

A line that holds nothing but one long word may be wider, and so may what a tool writes. It prints
the place of each line that is too wide; the exit status is 1 when there is one.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 100
CODE_WIDTH = 120
# Golden texts are what is sent.
_GENERATED = re.compile(r"tests/golden/.*|.*package-lock\.json|observability\.yaml")
# A counterexample says as briefly as it can what a rule is about.
_NARROW = re.compile(r"(?!tests/aws/counterexamples/|helpdesk/vendor/).*\.(yaml|yml|toml|js|mjs|ts|css|jsonc)")
_COMMENT = {
    suffix: re.compile(pattern)
    for pattern, suffixes in {
        r"\s*#": (".yaml", ".yml", ".toml", ".mk", "Makefile"),
        r"\s*(//|/?\*)": (".js", ".mjs", ".ts", ".css", ".jsonc"),
    }.items()
    for suffix in suffixes
}


def too_wide(path: str, text: str) -> Iterator[int]:
    """Yield the number of each line that is too wide, from 1. `path` says what the file is."""
    comments = set(_comments(text, Path(path).suffix or Path(path).name))
    for number, line in enumerate(text.splitlines(), 1):
        width = WIDTH if (number, line) in comments else CODE_WIDTH if _NARROW.fullmatch(path) else len(line)
        if len(line) > width and _can_be_broken(line, width):
            yield number


def _comments(text: str, suffix: str) -> Iterator[tuple[int, str]]:
    tag = False
    for number, line in enumerate(text.splitlines(), 1):
        # What a tag says of a type goes on until its comment ends.
        tag = tag or bool(re.match(r"\s*(/\*)?\*+ @", line))
        if not tag and _COMMENT[suffix].match(line):
            yield number, line
        tag = tag and "*/" not in line


def _can_be_broken(line: str, width: int) -> bool:
    # A name in code stays in one piece.
    line = re.sub(r"`[^`]+`", lambda found: found[0].replace(" ", "_"), line)
    start = re.match(r"\s*(#|//|/?\*+|[-*])?\s*([&!]\S+ )*", line)
    return " " in line[start.end() if start else 0 : width + 1]


def main() -> int:
    """Look at every file that git knows; return the exit status."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [path for path in listed.split("\0") if (ROOT / path).is_file() and not _GENERATED.fullmatch(path)]
    known = [path for path in files if (Path(path).suffix or Path(path).name) in _COMMENT]
    found = [
        f"{path}:{number}: too wide" for path in known for number in too_wide(path, (ROOT / path).read_text("utf-8"))
    ]
    print("\n".join([*found, f"{len(known)} files: {len(found) or 'no'} lines too wide"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
