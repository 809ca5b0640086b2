"""One check: what it is about, what was expected, what was found, and where it says how to fix
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reassort_ops.language import joined, tr

# The page that every check points into; a subject's `section` is an anchor of it.
PAGE = "docs/deploy.md"


class State(StrEnum):
    """How a check ended. What could not be seen is neither right nor wrong."""

    PASSED = "passed"
    FAILED = "failed"
    UNSEEN = "unseen"


MARKS = {State.PASSED: "✓", State.FAILED: "✗", State.UNSEEN: "–"}


@dataclass(frozen=True)
class Check:
    """The outcome of one check. `expected` is empty when nothing could be looked at; `found` then
    says why.
    """

    subject: Subject
    state: State
    expected: str
    found: str

    @property
    def remedy(self) -> str | None:
        """Return where it says what to do, `page#anchor`; None when there is nothing to do."""
        return None if self.state is State.PASSED else f"{PAGE}#{self.subject.section}"


@dataclass(frozen=True)
class Subject:
    """What a check is about. `section` is the anchor of the page that says how to fix it."""

    group: str
    title: str
    section: str

    def judged(self, holds: bool, expected: str, found: str) -> Check:
        """Return a check that passed if what was found is as expected."""
        return Check(self, State.PASSED if holds else State.FAILED, expected, found)

    def unseen(self, why: str, expected: str = "") -> Check:
        """Return a check that could not be made."""
        return Check(self, State.UNSEEN, expected, why)


def listed(names: list[str], most: int = 6) -> str:
    """Return names as a line has room for them: all, or the first ones and how many there are
    besides.
    """
    if len(names) <= most:
        return joined(", ", names)
    return tr("{names} and {count} more", names=joined(", ", names[:most]), count=len(names) - most)
