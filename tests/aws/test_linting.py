"""How a rule reads a template, and where it says what it finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cfnlint.template import Template
from deployed.linting import Deployed, Fault, deployed, findings

WRITTEN = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}


@pytest.mark.parametrize("filename", [None, "gone.yaml"])
def test_a_template_without_a_file_is_taken_as_it_comes(filename: str | None) -> None:
    assert deployed(Template(filename, WRITTEN)).written == WRITTEN


@pytest.mark.parametrize(
    ("path", "where", "message"),
    [
        (("Resources", "Queue", "Type"), ["Resources", "Queue", "Type"], "wrong"),
        (("Resources", "Nested"), ["Resources"], "Nested: wrong"),
        (("Resources",), ["Resources"], "wrong"),
        (("Parameters", "Nested"), ["Parameters", "Nested"], "wrong"),
        ((), [], "wrong"),
    ],
    ids=str,
)
def test_what_is_not_written_in_the_root_is_named(path: tuple[str, ...], where: list[str], message: str) -> None:
    (found,) = findings(Template(None, WRITTEN), lambda _: [Fault(path, "wrong")])
    assert (found.path, found.message) == (where, message)


@pytest.mark.parametrize("code", ["gone", {"Fn::Sub": "a"}, None])
def test_a_function_without_a_folder_of_code_has_none(tmp_path: Path, code: Any) -> None:
    (tmp_path / "a").mkdir()
    properties = {"A": {"Properties": {"CodeUri": "a"}}, "B": {"Properties": {"CodeUri": code}}}
    template = Deployed({"Resources": properties}, tmp_path)
    assert template.code_of("A") == tmp_path / "a"
    assert template.code_of("B") is None
