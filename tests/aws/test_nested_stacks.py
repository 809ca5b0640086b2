"""Nested stacks are read as a part of their root: what they are given and give back, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from deployed.nested import NestedStackError, whole

from harness.engines.template import TEMPLATE, read_template
from tests.aws.test_rules import ROOT, own_rules, translated

if TYPE_CHECKING:
    from pathlib import Path

ROOT_TEMPLATE = {
    "Conditions": {"Asked": {"Fn::Equals": [{"Ref": "Wanted"}, "yes"]}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Inner": {
            "Type": "AWS::CloudFormation::Stack",
            "Condition": "Asked",
            "Properties": {
                "TemplateURL": "inner.yaml",
                "Parameters": {
                    "Queue": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "Stack": {"Ref": "AWS::StackName"},
                    "Choice": {"Fn::If": ["Asked", "a", "b"]},
                    "Wanted": {"Ref": "Wanted"},
                },
            },
        },
    },
    "Outputs": {"Topic": {"Value": {"Fn::GetAtt": "Inner.Outputs.Topic"}}},
}
INNER_TEMPLATE: dict[str, Any] = {
    "Parameters": {"Queue": {}, "Stack": {}, "Choice": {}, "Wanted": {}, "Size": {"Default": "5"}},
    "Conditions": {
        "Asked": {"Fn::Equals": ["yes", {"Ref": "Wanted"}]},
        "Large": {"Fn::Equals": [{"Ref": "Size"}, "9"]},
    },
    "Mappings": {"Names": {"a": {"b": "c"}}},
    "Resources": {
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "DisplayName": {"Fn::Sub": "${Stack} ${Queue} ${Size} ${Choice} ${Topic.TopicName} ${!Stack}"},
                "KmsMasterKeyId": {"Ref": "Queue"},
            },
        },
        "Other": {"Type": "AWS::SNS::Topic", "Condition": "Large"},
    },
    "Outputs": {"Topic": {"Value": {"Fn::Sub": "${Stack}/${Topic}"}}},
}


def _whole(folder: Path, inner: Any) -> Any:
    (folder / "inner.yaml").touch()
    return whole(ROOT_TEMPLATE, folder, lambda _: inner)


def test_parameters_and_outputs_are_replaced_by_what_they_stand_for(tmp_path: Path) -> None:
    merged = _whole(tmp_path, INNER_TEMPLATE)
    assert set(merged["Resources"]) == {"Queue", "Topic", "Other"}
    topic = merged["Resources"]["Topic"]
    assert topic["Properties"] == {
        "DisplayName": {
            "Fn::Sub": [
                "${AWS::StackName} ${Queue.Arn} 5 ${Choice} ${Topic.TopicName} ${!Stack}",
                {"Choice": {"Fn::If": ["Asked", "a", "b"]}},
            ]
        },
        "KmsMasterKeyId": {"Fn::GetAtt": ["Queue", "Arn"]},
    }
    assert merged["Outputs"] == {"Topic": {"Value": {"Fn::Sub": "${AWS::StackName}/${Topic}"}}}
    assert merged["Mappings"] == INNER_TEMPLATE["Mappings"]
    assert "Mappings" not in _whole(tmp_path, {**INNER_TEMPLATE, "Mappings": {}})


def test_a_resource_is_under_the_condition_of_its_stack_and_under_its_own(tmp_path: Path) -> None:
    merged = _whole(tmp_path, INNER_TEMPLATE)
    assert merged["Resources"]["Topic"]["Condition"] == "Asked"
    assert merged["Resources"]["Other"] == {"Type": "AWS::SNS::Topic", "Condition": "AskedAndLarge"}
    assert merged["Conditions"]["AskedAndLarge"] == {"Fn::And": [{"Condition": "Asked"}, {"Condition": "Large"}]}


@pytest.mark.parametrize(
    ("section", "content", "why"),
    [
        (
            "Resources",
            {**INNER_TEMPLATE["Resources"], "Queue": {"Type": "AWS::SNS::Topic"}},
            "Queue is something else in Resources of another template",
        ),
        (
            "Conditions",
            {"Asked": {"Fn::Equals": [{"Ref": "Wanted"}, "no"]}},
            "Asked is something else in Conditions of another template",
        ),
        (
            "Outputs",
            {"Name": {"Value": {"Ref": "AWS::StackName"}}},
            "AWS::StackName is the nested stack's; take the root's as a parameter",
        ),
        ("Parameters", {"Choice": {}, "Wanted": {}}, "the root gives other parameters than it takes: Queue, Stack"),
        (
            "Parameters",
            {**INNER_TEMPLATE["Parameters"], "More": {}},
            "the root gives other parameters than it takes: More",
        ),
        ("Transform", "AWS::Serverless-2016-10-31", "a Transform is not followed"),
    ],
)
def test_what_would_mean_something_else_in_the_root_is_refused(
    tmp_path: Path, section: str, content: Any, why: str
) -> None:
    with pytest.raises(NestedStackError, match=f"^inner.yaml: {why}$"):
        _whole(tmp_path, {**INNER_TEMPLATE, section: content})


@pytest.mark.parametrize(
    "reference",
    [
        {"Ref": "Nobody"},
        [{"Ref": "Nobody"}],
        {"Fn::GetAtt": ["Nobody", "Arn"]},
        {"Fn::GetAtt": "Nobody.Arn"},
        {"Fn::Sub": "${Topic} ${ Nobody.Arn }"},
        {"Fn::Sub": ["${Own}", {"Own": {"Ref": "Nobody"}}]},
    ],
    ids=str,
)
def test_a_reference_to_what_the_nested_template_does_not_have_is_refused(tmp_path: Path, reference: Any) -> None:
    resources = {"Topic": {"Properties": {"A": reference}}}
    with pytest.raises(NestedStackError, match=r"^inner.yaml: refers to what it does not have: Nobody$"):
        _whole(tmp_path, {**INNER_TEMPLATE, "Resources": resources})


def test_a_template_that_is_elsewhere_stays_as_it_is(tmp_path: Path) -> None:
    assert whole(ROOT_TEMPLATE, tmp_path, lambda _: INNER_TEMPLATE) == ROOT_TEMPLATE


@pytest.mark.parametrize("name", ["edge.yaml", "helpdesk.yaml", "observability.yaml", "people.yaml"])
def test_a_nested_template_is_looked_at_with_its_root_and_not_alone(name: str) -> None:
    resources = read_template(ROOT / name)["Resources"]
    assert resources.keys() < read_template(TEMPLATE)["Resources"].keys()
    for rule in own_rules().values():
        assert rule.match(translated(ROOT / name)) == []


def test_nothing_that_holds_state_is_in_a_nested_stack() -> None:
    kept = {
        "AWS::DynamoDB::Table",
        "AWS::KMS::Key",
        "AWS::SQS::Queue",
        "AWS::SES::EmailIdentity",
        "AWS::Logs::LogGroup",
        "AWS::Cognito::UserPool",
    }
    for name in ("edge.yaml", "helpdesk.yaml", "observability.yaml", "people.yaml"):
        assert not kept & {part["Type"] for part in read_template(ROOT / name)["Resources"].values()}
