"""What a template's functions give, and what its conditions say, under given values."""

from __future__ import annotations

from typing import Any

import pytest
from deployed.stack import FilledTemplate

TEMPLATE = {
    "Parameters": {
        "Name": {"Type": "String"},
        "Open": {"Type": "String"},
        "Names": {"Type": "CommaDelimitedList"},
        "Sizes": {"Type": "List<Number>"},
    },
    "Mappings": {"Sizes": {"large": {"Memory": 512}}},
    "Conditions": {
        "Outer": {"Condition": "A"},
        "A": {"Fn::Not": [{"Condition": "B"}]},
        "B": {"Fn::Not": [{"Condition": "A"}]},
    },
}
VALUES = {"Name": "a,b", "Names": "a,b", "Sizes": "1,2", "AWS::Region": "eu-west-3"}


def filled() -> FilledTemplate:
    """Return the template under the values."""
    return FilledTemplate(TEMPLATE, VALUES)


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ({"Ref": "Name"}, "a,b"),
        ({"Ref": "Open"}, "${Open}"),
        ({"Ref": "Names"}, ["a", "b"]),
        ({"Ref": "Sizes"}, ["1", "2"]),
        ({"Ref": "AWS::Region"}, "eu-west-3"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "${Queue.Arn}"),
        ({"Fn::GetAtt": "Queue.Arn"}, "${Queue.Arn}"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Name"}]]}, "a-a,b"),
        ({"Fn::Join": ["-", {"Ref": "Names"}]}, "a-b"),
        ({"Fn::Join": ["-", {"Ref": "Open"}]}, "${Open}"),
        ({"Fn::Select": [1, {"Ref": "Names"}]}, "b"),
        ({"Fn::Select": ["2", {"Ref": "Names"}]}, "${Select 2}"),
        ({"Fn::Select": [0, {"Ref": "Open"}]}, "${Select 0}"),
        ({"Fn::Split": [",", {"Ref": "Name"}]}, ["a", "b"]),
        ({"Fn::FindInMap": ["Sizes", "large", "Memory"]}, 512),
        ({"Fn::FindInMap": ["Sizes", "large", "Memory", {"DefaultValue": 128}]}, 512),
        ({"Fn::FindInMap": ["Sizes", "small", "Memory"]}, "${FindInMap Sizes}"),
        ({"Fn::Base64": {"Ref": "Name"}}, "a,b"),
        ({"Fn::ToJsonString": {"a": {"Ref": "Name"}}}, '{"a":"a,b"}'),
        ({"Fn::ImportValue": {"Ref": "Name"}}, "${ImportValue a,b}"),
        ({"Fn::GetAZs": ""}, ["${AvailabilityZone}"]),
    ],
    ids=str,
)
def test_a_function_is_what_it_gives(written: Any, given: Any) -> None:
    assert filled().resolve(written) == given


@pytest.mark.parametrize(("members", "equal"), [(["a", "a"], True), (["a", "b"], False), (["b", "b"], False)], ids=str)
def test_each_member_is_compared(members: list[str], equal: bool) -> None:
    rule = {"Assertions": [{"Assert": {"Fn::EachMemberEquals": [members, "a"]}}]}
    assert FilledTemplate({"Rules": {"Same": rule}}, {}).refused is not equal


def test_what_is_no_function_of_a_condition_is_named() -> None:
    stack = FilledTemplate({"Conditions": {"A": {"Fn::Xor": []}}}, {})
    with pytest.raises(ValueError, match=r"^Fn::Xor is no function of a condition$"):
        stack.holds("A")


def test_a_condition_that_depends_on_itself_is_named() -> None:
    stack = filled()
    # What came of one is not kept for the next.
    for first, circular in [("Outer", "A"), ("B", "B"), ("Outer", "A")]:
        with pytest.raises(ValueError, match=f"^the condition {circular} depends on itself$"):
            stack.holds(first)
