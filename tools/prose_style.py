"""Words and turns of phrase that make a reader stop, in documents, comments, docstrings, help texts
and messages.

    python tools/prose_style.py

`HABITS` is the whole rule: what is looked for, and what to write instead. General faults of English
are proselint's, spelling is codespell's and cspell's. It prints the place of each find; the exit
status is 1 when there is one.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Written by others or by a tool, golden texts, and the two files that quote what is looked for.
_LEFT_OUT = re.compile(
    r"LICENSE|uv\.lock|.*package-lock\.json|.*\.(png|svg|gif|mo)|bench/[^/]*\.(md|json)|tests/golden/.*"
    r"|tests/asvs-5\.0\.0\.txt|helpdesk/vendor/.*|tools/prose_style\.py|tests/unit/test_prose_style\.py"
)
_SUBJECT = r"(it|they|he|she|we|you|there|nobody|nothing|everybody|this|that|these|those)"
# A blank stands for any run of blanks, line breaks and marks of a comment.
HABITS = {
    r"\b[Ww]ho(m|so|mso)?ever\b": "anyone who; no matter who",
    r"\b[Aa]new\b": "again",
    r"\b[Mm]end(s|ed|ing)?\b": "fix, repair, correct",
    r"\b[Tt]old apart\b": "distinguished",
    r"\b[Tt]ell(s|ing)? (\S+ ){1,4}apart\b": "distinguish",
    r"\b[Ff]rom where on\b": "the threshold, the value from which",
    r"\bat (the )?(\w+['’]s|his|her|its|their) wish\b": "if they ask, on request",
    r"\b[Ii]n the place of\b": "instead of, in place of",
    r"\b[Ff]or want of\b": "without; because … is missing",
    r"\b[Bb]ut for\b": "except",
    r"\bgoes without saying\b": "leave it out",
    r"\b(be|is|are) handed about\b": "be shared",
    rf"[,;:] for {_SUBJECT} (?!(first|last|one|who|of|in|that|from|to|with|which)\b)[a-z]": "because",
    r"[.;]\sWho(m|se)?\s(is|are|was|has|had|may|must|can|did|does|[a-z]+s)\s([a-z]+\s){2}": "Anyone who …",
    r"[.;:] So (many|much|long) (?!as )\w+ (do|does|did|is|are|may|can)\b": "give the number, then what it bounds",
    r"\b(lest|albeit|hitherto|thereof|herein|whence)\b": "so that … not; although; so far; of it; here; from where",
}
_GAP = r"(?:\s|#|//|\*)+"
_PATTERNS = {habit: re.compile(habit.replace(" ", _GAP)) for habit in HABITS}


def habits(text: str, of: Collection[str] = HABITS.keys()) -> list[tuple[int, str, str]]:
    """Return the line (from 1) of each habit in a text, the words, and what to write instead. `of`
    are keys of `HABITS`.
    """
    return [
        (text.count("\n", 0, found.start()) + 1, " ".join(found[0].split())[:60], HABITS[habit])
        for habit in of
        for found in _PATTERNS[habit].finditer(text)
    ]


def main(arguments: list[str]) -> int:
    """Look at every file that git knows; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(arguments)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [path for path in listed.split("\0") if (ROOT / path).is_file() and not _LEFT_OUT.fullmatch(path)]
    found = [
        f"{path}:{line}: {words} → {instead}"
        for path in files
        for line, words, instead in habits((ROOT / path).read_text("utf-8"))
    ]
    print("\n".join([*found, f"{len(files)} files: {len(found) or 'no'} turns of phrase to put plainly"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
