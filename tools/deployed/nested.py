"""A template with its nested stacks written into it, as the deployed service is one.

A nested stack's parameters are replaced by what the root gives for them, and its outputs by their
values. So anyone who reads a resource sees what it refers to, whichever file it stands in. A nested
template that is not a file on this machine stays as it is.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

type Json = Any

_STACK = "AWS::CloudFormation::Stack"
_SECTIONS = ("Resources", "Conditions", "Mappings")
_VARIABLE = re.compile(r"\$\{(?!!)([^}]+)\}")


class NestedStackError(ValueError):
    """A nested template that cannot be read as a part of its root."""


def whole(template: Json, folder: Path, read: Callable[[Path], Json]) -> Json:
    """Return the template with the resources, conditions and mappings of its nested stacks.

    Args:
        template: the root, in the long form of CloudFormation's functions.
        folder: where the paths of nested templates begin.
        read: reads a nested template in the same form as the root.

    Raises:
        NestedStackError: a nested template has a name that another one has for something else,
            refers to what it does not have, is not given what it takes, or depends on its own
            stack's name or on a transform.
    """
    stacks = {name: path for name, path in _nested(template, folder).items() if path.is_file()}
    if not stacks:
        return template
    merged = {section: dict(template.get(section) or {}) for section in _SECTIONS}
    outputs: dict[str, Json] = {}
    for name, path in stacks.items():
        stack = merged["Resources"].pop(name)
        nested = whole(read(path), path.parent, read)
        given = stack["Properties"].get("Parameters") or {}
        _raise_unless_part_of_root(nested, path, given)
        values = {key: parameter.get("Default") for key, parameter in (nested.get("Parameters") or {}).items()}
        values |= given
        for section in _SECTIONS:
            content = _filled(nested.get(section) or {}, values)
            if section == "Resources":
                content = {
                    key: _under(stack.get("Condition"), part, merged["Conditions"]) for key, part in content.items()
                }
            for key, part in content.items():
                if _ordered(merged[section].setdefault(key, part)) != _ordered(part):
                    raise NestedStackError(f"{path.name}: {key} is something else in {section} of another template")
        for key, output in (nested.get("Outputs") or {}).items():
            outputs[f"{name}.Outputs.{key}"] = _filled(output["Value"], values)
    result = _filled({**template, **merged}, outputs)
    return {section: content for section, content in result.items() if content}


def _nested(template: Json, folder: Path) -> dict[str, Path]:
    """Return where the nested templates are, by the logical id of their stacks."""
    return {
        name: folder / resource["Properties"]["TemplateURL"]
        for name, resource in (template.get("Resources") or {}).items()
        if resource.get("Type") == _STACK and isinstance(resource["Properties"].get("TemplateURL"), str)
    }


def _raise_unless_part_of_root(nested: Json, path: Path, given: Mapping[str, Json]) -> None:
    # Both would mean something else in the root.
    if "Transform" in nested:
        raise NestedStackError(f"{path.name}: a Transform is not followed")
    if "AWS::StackName" in json.dumps(nested):
        raise NestedStackError(f"{path.name}: AWS::StackName is the nested stack's; take the root's as a parameter")
    parameters = nested.get("Parameters") or {}
    needed = {key for key, parameter in parameters.items() if "Default" not in parameter}
    if wrong := (given.keys() - parameters.keys()) | (needed - given.keys()):
        raise NestedStackError(f"{path.name}: the root gives other parameters than it takes: {_listed(wrong)}")
    known = parameters.keys() | (nested.get("Resources") or {}).keys()
    if unknown := {name for name in _references(nested) if "::" not in name} - known:
        raise NestedStackError(f"{path.name}: refers to what it does not have: {_listed(unknown)}")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _references(node: Json) -> Iterator[str]:
    """Yield the names that a part of a template refers to."""
    match node:
        case {"Ref": name, **nothing} if not nothing:
            yield str(name)
        case {"Fn::GetAtt": reference, **nothing} if not nothing:
            yield _named(reference).split(".")[0]
        case {"Fn::Sub": argument, **nothing} if not nothing:
            pattern, own = argument if isinstance(argument, list) else (argument, {})
            names = {name.strip().split(".")[0] for name in _VARIABLE.findall(str(pattern))}
            yield from names - set(own)
            yield from _references(own)
        case dict():
            for part in node.values():
                yield from _references(part)
        case list():
            for part in node:
                yield from _references(part)


def _under(condition: str | None, resource: Json, conditions: dict[str, Json]) -> Json:
    """Return a resource under the condition of its stack, beside its own."""
    own = resource.get("Condition", condition)
    if condition is None or own == condition:
        return resource if own is None else {**resource, "Condition": own}
    both = f"{condition}And{own}"
    conditions[both] = {"Fn::And": [{"Condition": condition}, {"Condition": own}]}
    return {**resource, "Condition": both}


def _ordered(node: Json) -> Json:
    """Return a condition with both sides of each `Fn::Equals` sorted, as cfn-lint leaves them."""
    if isinstance(node, list):
        return [_ordered(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: sorted(value, key=str) if key == "Fn::Equals" else _ordered(value) for key, value in node.items()}


def _filled(node: Json, values: Mapping[str, Json]) -> Json:
    """Return a part of a template with values for what it refers to.

    The keys of `values` are names that `Ref` may have, or `Stack.Outputs.Name`.
    """
    if isinstance(node, list):
        return [_filled(item, values) for item in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        ((function, argument),) = node.items()
        if function in ("Ref", "Fn::GetAtt") and _named(argument) in values:
            return values[_named(argument)]
        if function == "Fn::Sub":
            return {"Fn::Sub": _substituted(argument, values)}
    return {key: _filled(value, values) for key, value in node.items()}


def _substituted(argument: Json, values: Mapping[str, Json]) -> Json:
    pattern, own = argument if isinstance(argument, list) else (argument, {})
    variables = {name: _filled(value, values) for name, value in own.items()}

    def replaced(match: re.Match[str]) -> str:
        name = match[1].strip()
        if name in own or name not in values:
            return match[0]
        match values[name]:
            case {"Ref": reference} | {"Fn::GetAtt": reference}:
                return f"${{{_named(reference)}}}"
            case {"Fn::Sub": str(text)}:
                return text
            case dict() as value:
                variables[name] = value
                return match[0]
            case value:
                return str(value)

    text = _VARIABLE.sub(replaced, str(pattern))
    return [text, variables] if variables else text


def _named(reference: Json) -> str:
    return ".".join(map(str, reference)) if isinstance(reference, list) else str(reference)
