"""Which values of its parameters a template is looked at with."""

from __future__ import annotations

from typing import Any

import pytest
from deployed.scenarios import stacks

OPTIONAL = {"Type": "String", "Default": ""}


def values(template: dict[str, Any]) -> list[dict[str, str]]:
    """Return the values of each stack of a template."""
    return [stack.values for stack in stacks(template)]


def test_each_combination_is_looked_at_and_each_choice_with_the_least_and_the_most() -> None:
    template = {
        "Parameters": {
            "A": OPTIONAL,
            "B": OPTIONAL,
            "Mode": {"Type": "String", "Default": "off"},
            "Size": {"Type": "Number", "Default": 5},
        },
        "Conditions": {"On": {"Fn::Equals": ["on", {"Ref": "Mode"}]}},
    }
    least = {"A": "", "B": "", "Mode": "off", "Size": "5"}
    most = least | {"A": "${A}", "B": "${B}"}
    assert values(template) == [
        least,
        least | {"Mode": "on"},
        least | {"Mode": "${Mode}"},
        most,
        most | {"Mode": "on"},
        most | {"Mode": "${Mode}"},
        least | {"B": "${B}"},
        least | {"A": "${A}"},
    ]


def test_a_choice_is_looked_at_when_the_defaults_are_turned_away() -> None:
    template = {
        "Parameters": {
            "Open": {"Type": "String", "Default": False, "AllowedValues": [False, True]},
            "Other": {"Type": "String", "Default": "a"},
        },
        "Conditions": {"IsOpen": {"Fn::Equals": [{"Ref": "Open"}, "true"]}},
        "Rules": {"Opened": {"Assertions": [{"Assert": {"Fn::Equals": [{"Ref": "Open"}, "true"]}}]}},
    }
    assert values(template) == [{"Open": "true", "Other": "a"}]


def test_a_template_with_too_many_optional_parameters_is_refused() -> None:
    assert len(values({"Parameters": dict.fromkeys("ABCDEFGH", OPTIONAL)})) == 256
    with pytest.raises(ValueError, match=r"^9 optional parameters are more than the 8 that are looked at$"):
        stacks({"Parameters": dict.fromkeys("ABCDEFGHI", OPTIONAL)})
