"""A page in one state."""

from collections.abc import Callable
from dataclasses import dataclass

from reassort.problems import WORDINGS, Code

from harness.site.mocked_space import ELECTION, MockedSpace


@dataclass(frozen=True)
class PageState:
    """How a voter comes to a page, and what it must say then.

    Attributes:
        play: brings the page about.
        heading: the text of its h1.
        texts: what must be readable in it, with plain spaces.
        summary: what the error summary must say; None when there must be none.
        dialog: the id of a dialog that is open over the page.
    """

    play: Callable[[MockedSpace], None]
    heading: str
    texts: tuple[str, ...] = ()
    summary: tuple[str, ...] | None = None
    dialog: str | None = None


def merged(*parts: dict[str, PageState]) -> dict[str, PageState]:
    """Return all states in one.

    Raises:
        ValueError: two have the same name; one of them would be looked at by nobody.
    """
    together: dict[str, PageState] = {}
    for part in parts:
        if twice := together.keys() & part.keys():
            raise ValueError(f"two states are called {', '.join(sorted(twice))}")
        together |= part
    return together


def wording(code: Code) -> str:
    """Return the title of a refusal."""
    return WORDINGS[code].title


def helpdesk() -> str:
    """Return how a refusal names the helpdesk."""
    return f"Assistance : {ELECTION.helpdesk.phone}"
