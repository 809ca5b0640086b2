"""The template's `ColdStarts`: what the API calls, and that a version is never older than what was
deployed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from harness.engines.template import read_template
from tests.packaging_modules import packaging_module

if TYPE_CHECKING:
    from pathlib import Path

RESOURCES = read_template()["Resources"]
FUNCTIONS = ("Login", "Reissue")
MODES = {"SnapStart": "snap-start", "Provisioned": "provisioned"}


def properties(name: str) -> dict[str, Any]:
    """Return the properties of a resource."""
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("mode", MODES)
def test_each_way_to_start_has_a_version_of_its_own(function: str, mode: str) -> None:
    """So that choosing a way makes one of what is deployed then; a version of another way would be
    as old as that choice.
    """
    name = f"{function}{mode}Version"
    assert RESOURCES[name]["Condition"] == mode
    assert properties(name)["FunctionName"] == {"Ref": f"{function}Function"}
    condition = {"Fn::Equals": [{"Ref": "ColdStarts"}, MODES[mode]]}
    assert read_template()["Conditions"][mode] == condition


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_alias_is_there_only_when_a_version_is(function: str) -> None:
    assert RESOURCES[f"{function}Alias"]["Condition"] == "Published"
    versions = [{"Fn::GetAtt": f"{function}{mode}Version.Version"} for mode in ("Provisioned", "SnapStart")]
    assert properties(f"{function}Alias")["FunctionVersion"] == {"Fn::If": ["Provisioned", *versions]}
    # A plain start runs what was deployed last, whatever it is: nothing there is published.
    assert "AutoPublishAlias" not in properties(f"{function}Function")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_api_may_call_what_it_calls(function: str) -> None:
    callers = [
        resource
        for resource in RESOURCES.values()
        if resource["Type"] == "AWS::Lambda::Permission"
        and resource["Properties"]["FunctionName"] in ({"Ref": f"{function}Function"}, {"Ref": f"{function}Alias"})
    ]
    # Always the function, so that nobody waits while a stack goes back to plain starts; and the
    # alias, which has no right of its function's.
    assert [(caller["Properties"]["FunctionName"]["Ref"], caller.get("Condition")) for caller in callers] == [
        (f"{function}Function", None),
        (f"{function}Alias", "Published"),
    ]
    assert callers[0]["Properties"]["SourceArn"] == callers[1]["Properties"]["SourceArn"]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("mode", MODES)
def test_whatever_a_function_runs_with_makes_a_new_version(function: str, mode: str) -> None:
    """The layer, which has the elections and the digest of all functions, and each parameter that
    reaches it. Nothing else does: Lambda refuses a version of a function that has not changed.
    """
    globals_ = read_template()["Globals"]["Function"]
    used = _references([globals_, properties(f"{function}Function")]) & set(read_template()["Parameters"])
    # They choose the processor and the way to start, which replace function and version themselves.
    used -= {"Architecture", "ColdStarts"}
    assert used >= {"Election", "SiteOrigin"}
    named = _references(properties(f"{function}{mode}Version")["Description"])
    assert named & {"SharedLayer", *read_template()["Parameters"]} == used | {"SharedLayer"}


def test_whatever_changes_in_a_function_changes_its_digest(tmp_path: Path) -> None:
    digest_of = packaging_module("package").digest_of
    (tmp_path / "login").mkdir()
    source = tmp_path / "login" / "rules.py"
    digests = []
    for content in (b"", b"one = 1", b"one = 2"):
        source.write_bytes(content)
        digests.append(digest_of(tmp_path))
    source.rename(tmp_path / "login" / "other.py")
    digests.append(digest_of(tmp_path))
    assert len(set(digests)) == 4
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "rules.pyc").write_bytes(b"compiled")
    assert digest_of(tmp_path) == digests[-1]


def _references(content: Any) -> set[str]:
    match content:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::Sub": str(text)}:
            return set(re.findall(r"\$\{(\w+)\}", text))
        case {"Fn::Sub": [str(text), dict(values)]}:
            return _references({"Fn::Sub": text}) - set(values) | _references(values)
        case {"Fn::If": [str(condition), *branches]}:
            return _references(branches) | _references(read_template()["Conditions"][condition])
        case dict():
            return set().union(*map(_references, content.values()))
        case list():
            return set().union(*map(_references, content))
    return set()
