"""What CloudFormation makes of a template first: it includes files, and SAM translates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from deployed.translation import included, translated

if TYPE_CHECKING:
    from pathlib import Path


def include(location: Any, name: str = "AWS::Include") -> dict[str, Any]:
    """Return a transform of a part of a template."""
    return {"Fn::Transform": {"Name": name, "Parameters": {"Location": location}}}


def test_an_include_of_a_file_is_what_the_file_holds(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a":\t1}', "utf-8")
    (tmp_path / "b.yaml").write_text("b: [2]", "utf-8")
    assert included([include("a.json"), {"Body": include("b.yaml")}], tmp_path) == [{"a": 1}, {"Body": {"b": [2]}}]


@pytest.mark.parametrize(
    "kept",
    [
        include("gone.yaml"),
        include("s3://bucket/a.json"),
        include({"Fn::Sub": "s3://${Bucket}/a.json"}),
        include("a.json", "Another"),
        {"Fn::Transform": "Another"},
        {"Fn::Transform": {"Name": "AWS::Include"}},
        {**include("a.json"), "Other": 1},
    ],
    ids=str,
)
def test_another_transform_stays_as_it_is(tmp_path: Path, kept: dict[str, Any]) -> None:
    (tmp_path / "a.json").write_text("{}", "utf-8")
    assert included(kept, tmp_path) == kept


def test_sam_translates_what_asks_for_it_wherever_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    machine = {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "a.json", "Role": "role"}}
    template = {"Transform": ["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"], "Resources": {"A": machine}}
    assert translated(template, {})["Resources"]["A"]["Type"] == "AWS::StepFunctions::StateMachine"
    plain = {"Transform": ["AWS::LanguageExtensions"], "Resources": {"A": machine}}
    assert translated(plain, {}) == plain
