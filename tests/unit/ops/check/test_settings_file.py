"""What is read of `samconfig.toml` and of the templates beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from reassort_ops.account.settings_file import Parameter, Profile, read_settings
from reassort_ops.failures import OperatorError

SETTINGS = """\
version = 0.1

[staging.deploy.parameters]
stack_name = "reassort-staging"
region = "eu-west-3"
parameter_overrides = ["Election=<id>", "Query=a=b", "Empty="]

[line.deploy.parameters]
parameter_overrides = 'Election=dijon-2018 Sender="two words"'

[bare.deploy.parameters]
"""
TEMPLATE = """\
Parameters:
  Election: {Type: String}
  Ready: {Type: Number, Default: 0, AllowedPattern: "[0-9]+"}
  Cold: {Type: String, Default: plain, AllowedValues: [plain, provisioned, 3]}
Resources:
  Function:
    Name: !Sub "${Election}-function"
    Some: !If [IsReady, [!Ref Ready, {kept: [1, 2]}], !Ref "AWS::NoValue"]
    Other: !Transform {Name: [a, b]}
"""
OBSERVABILITY = "Mappings: {Watch: {dijon-2018: {Waiting: 15}, normandie-2026: {Waiting: 15}}}\n"


def folder(tmp_path: Path, **files: str) -> Path:
    """Write settings and templates, some of them other ones; return the settings' path."""
    content = {"samconfig.toml": SETTINGS, "template.yaml": TEMPLATE, "observability.yaml": OBSERVABILITY}
    for name, text in {**content, **{name.replace("_", "."): text for name, text in files.items()}}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "samconfig.toml"


def test_a_profile_is_read_with_the_templates_beside_it(tmp_path: Path) -> None:
    assert read_settings(folder(tmp_path), "staging") == Profile(
        profile="staging",
        stack_name="reassort-staging",
        region="eu-west-3",
        given={"Election": "<id>", "Query": "a=b", "Empty": ""},
        parameters={
            "Election": Parameter(None, (), None),
            "Ready": Parameter("0", (), "[0-9]+"),
            "Cold": Parameter("plain", ("plain", "provisioned", "3"), None),
        },
        watched=frozenset({"dijon-2018", "normandie-2026"}),
    )


def test_overrides_on_one_line_are_read_as_a_shell_would(tmp_path: Path) -> None:
    settings = read_settings(folder(tmp_path), "line")
    assert settings.given == {"Election": "dijon-2018", "Sender": "two words"}


def test_what_a_profile_leaves_out_is_empty(tmp_path: Path) -> None:
    path = folder(tmp_path, template_yaml="Resources: {}\n", observability_yaml="Resources: {}\n")
    assert read_settings(path, "bare") == Profile("bare", "", None, {}, {}, frozenset())


@pytest.mark.parametrize(
    ("files", "profile", "reason"),
    [
        ({}, "production", r"samconfig\.toml: no profile production .*; it has staging, line, bare$"),
        ({"samconfig_toml": "[staging"}, "staging", r"samconfig\.toml: Expected"),
        ({"template_yaml": "Parameters: ["}, "staging", r"template\.yaml: is not YAML: "),
        ({"observability_yaml": "Mappings: ["}, "staging", r"observability\.yaml: is not YAML: "),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, files: dict[str, str], profile: str, reason: str) -> None:
    with pytest.raises(OperatorError, match=reason):
        read_settings(folder(tmp_path, **files), profile)


# ---------------------------------------------------------------- one parameter


@pytest.mark.parametrize(
    ("values", "pattern", "value", "taken"),
    [
        ((), None, "anything", True),
        (("a", "b"), None, "b", True),
        (("a", "b"), None, "c", False),
        ((), "[0-9]+", "12", True),
        ((), "[0-9]+", "12x", False),
        (("a", "1"), "[0-9]+", "1", True),
        (("a", "1"), "[0-9]+", "a", False),
        (("a", "1"), "[0-9]+", "2", False),
    ],
)
def test_a_value_is_one_of_those_allowed_and_fits_the_pattern(
    values: tuple[str, ...], pattern: str | None, value: str, *, taken: bool
) -> None:
    assert Parameter(None, values, pattern).takes(value) is taken


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Given", "here"),
        ("Empty", ""),
        ("ToFillIn", ""),
        ("Partly", ""),
        ("Default", "standard"),
        ("Wanted", "absent"),
        ("Unknown", "absent"),
    ],
)
def test_a_parameter_is_what_was_given_or_else_its_default(name: str, value: str) -> None:
    given = {"Given": "here", "Empty": "", "ToFillIn": "<domain>", "Partly": "https://<domain>/"}
    parameters = {
        "Given": Parameter("standard", (), None),
        "ToFillIn": Parameter("standard", (), None),
        "Default": Parameter("standard", (), None),
        "Wanted": Parameter(None, (), None),
    }
    settings = Profile("production", "reassort", None, given, parameters, frozenset())
    assert settings.value(name, "absent") == value


@pytest.mark.parametrize(
    ("region", "found"), [("eu-west-3", "eu-west-3"), ("<region>", None), ("", None), (None, None)]
)
def test_a_region_that_is_to_be_filled_in_is_none_yet(region: str | None, found: str | None) -> None:
    assert Profile("production", "reassort", region, {}, {}, frozenset()).region_or_none() == found
