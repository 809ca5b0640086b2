"""What `samconfig.toml` will deploy: the stack's name, its region, and every parameter of the
template with its value.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr

TEMPLATE_NAME = "template.yaml"
# The nested stack with the alarms.
_OBSERVABILITY_NAME = "observability.yaml"
# As the file in the repository has them, to be filled in.
_PLACEHOLDER = re.compile(r"<[^<>]+>")


@dataclass(frozen=True)
class Parameter:
    """A parameter of the template, as CloudFormation will check it. `default` is None when a value
    must be given.
    """

    default: str | None
    values: tuple[str, ...]
    pattern: str | None

    def takes(self, value: str) -> bool:
        """Tell whether CloudFormation accepts a value."""
        if self.values and value not in self.values:
            return False
        return self.pattern is None or re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True)
class Profile:
    """One profile of `samconfig.toml` beside the template that it deploys. `given` are the
    overrides, placeholders included.
    """

    profile: str
    stack_name: str
    region: str | None
    given: Mapping[str, str]
    parameters: Mapping[str, Parameter]
    # Elections whose thresholds `make alarms` has written.
    watched: frozenset[str]

    def value(self, name: str, absent: str = "") -> str:
        """Return what a parameter will be; empty while its placeholder stands, `absent` when the
        template has no such parameter.
        """
        if name in self.given:
            return "" if is_placeholder(self.given[name]) else self.given[name]
        parameter = self.parameters.get(name)
        return absent if parameter is None or parameter.default is None else parameter.default

    def region_or_none(self) -> str | None:
        """Return the region, None when it is left out or a placeholder."""
        return self.region if self.region and not is_placeholder(self.region) else None


class _TemplateLoader(yaml.CSafeLoader):
    """Reads a template of CloudFormation: each short function becomes its bare argument."""


def _argument(loader: _TemplateLoader, _tag: str, node: yaml.Node) -> Any:
    match node:
        case yaml.ScalarNode():
            return loader.construct_scalar(node)
        case yaml.SequenceNode():
            return loader.construct_sequence(node)
        case yaml.MappingNode():
            return loader.construct_mapping(node)
    raise OperatorError(tr("the template has an unknown kind of node: {tag}", tag=node.tag))


_TemplateLoader.add_multi_constructor("!", _argument)


def is_placeholder(value: str) -> bool:
    """Tell whether a value still is what is to be filled in: `<…>`."""
    return _PLACEHOLDER.search(value) is not None


def read_settings(path: Path, profile: str) -> Profile:
    """Read a profile of a `samconfig.toml`, and the templates beside it.

    Raises:
        OperatorError: the file has no such profile, or it or a template cannot be read as what it
            is.
        OSError: one of them is not there.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise OperatorError(tr("{path}: {error}", path=path, error=error)) from error
    try:
        found = content[profile]["deploy"]["parameters"]
    except KeyError as error:
        known = ", ".join(name for name, table in content.items() if isinstance(table, dict))
        raise OperatorError(
            tr(
                "{path}: no profile {profile} with deploy.parameters; it has {known}",
                path=path,
                profile=profile,
                known=known,
            )
        ) from error
    template = _read_template(path.with_name(TEMPLATE_NAME))
    observability = _read_template(path.with_name(_OBSERVABILITY_NAME))
    return Profile(
        profile=profile,
        stack_name=str(found.get("stack_name", "")),
        region=found.get("region"),
        given=_overrides(found.get("parameter_overrides", [])),
        parameters={name: _parameter(content) for name, content in template.get("Parameters", {}).items()},
        watched=frozenset(observability.get("Mappings", {}).get("Watch", {})),
    )


def _read_template(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _TemplateLoader)  # noqa: S506 - a safe one
    except yaml.YAMLError as error:
        raise OperatorError(tr("{path}: is not YAML: {error}", path=path, error=error)) from error
    return content


def _overrides(overrides: str | list[str]) -> dict[str, str]:
    """Return name → value; SAM takes a list of `Name=value`, or one line of them."""
    entries = shlex.split(overrides) if isinstance(overrides, str) else overrides
    return {name: value for name, _, value in (entry.partition("=") for entry in entries)}


def _parameter(content: Mapping[str, Any]) -> Parameter:
    default = content.get("Default")
    return Parameter(
        default=None if default is None else str(default),
        values=tuple(str(value) for value in content.get("AllowedValues", [])),
        pattern=content.get("AllowedPattern"),
    )
