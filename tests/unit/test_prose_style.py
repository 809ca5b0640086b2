"""`tools/prose_style.py` finds turns of phrase that make a reader stop, and nothing else."""

from __future__ import annotations

import prose_style
import pytest

# One line for each habit, in the order of the table.
FOUND = [
    "Whoever asks is answered.",
    "The count starts anew.",
    "Read the line and mend it.",
    "Refusals are told apart by place.",
    "Nothing tells the two apart.",
    "From where on each alarm rings is in the file.",
    "It is closed at the bureau's wish.",
    "A page in the place of an answer.",
    "It stops for want of a key.",
    "All but for one are kept.",
    "That it was queued goes without saying.",
    "What is not needed is not to be handed about.",
    "It is refused, for it would be midnight.",
    "Nothing is sent. Who is let in costs one write more.",
    "Enough. So many codes does a voter try before going away.",
    "Ask again, lest it expires.",
]


def test_each_habit_has_an_example() -> None:
    assert [
        next(i for i, habit in enumerate(prose_style.HABITS) if prose_style.habits(text, [habit])) for text in FOUND
    ] == list(range(len(prose_style.HABITS)))


@pytest.mark.parametrize("text", FOUND)
def test_a_habit_is_found_once(text: str) -> None:
    assert len(prose_style.habits(text)) == 1


@pytest.mark.parametrize(
    "text", ["are told\napart", "# are told\n# apart", "// are told\n// apart", "/** are told\n * apart */"]
)
def test_a_line_may_end_within_the_words(text: str) -> None:
    ((line, words, instead),) = prose_style.habits(f"first line\n{text}")
    assert line == 2
    assert words.startswith("told")
    assert instead == "distinguished"


@pytest.mark.parametrize(
    "text",
    [
        "Anyone who asks is answered again.",
        "Recommended, amended and mentioned.",
        "A file for it, a page for them: for each of those that ask.",
        "Who is the caller? Who may.",
        "So many as there are.",
        "Wait for that one, for those of the first day.",
        "Blessed are those who test.",
    ],
)
def test_plain_words_are_left_alone(text: str) -> None:
    assert prose_style.habits(text) == []
