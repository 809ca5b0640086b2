"""A template with values for its parameters: conditions decided, functions replaced by what they
give.

What only a deploy knows stays a placeholder, as `Fn::Sub` writes it: `${Queue}` for a Ref,
`${Queue.Arn}` for a GetAtt, and `${AWS::Region}`. An ARN is then always one text, however the
template builds it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

type Json = Any
"""What YAML and JSON hold. CloudFormation's functions stand in any place of it."""

_VARIABLE = re.compile(r"\$\{(?!!)([^}]+)\}")
_ABSENT = object()


@dataclass(frozen=True)
class Resource:
    """A resource that the stack has: its logical id, its type, its definition as it is written, and
    what resolves it.
    """

    id: str
    type: str
    definition: Mapping[str, Json]
    resolve: Callable[[Json], Json]

    @cached_property
    def properties(self) -> Mapping[str, Json]:
        """Its resolved properties: most rules ask for those of a few resources."""
        resolved: dict[str, Json] = self.resolve(self.definition.get("Properties") or {})
        return resolved

    @property
    def path(self) -> tuple[str | int, ...]:
        """Where the resource stands in the template."""
        return ("Resources", self.id)


class FilledTemplate:
    """A translated template and the values of its parameters; a parameter without a value stays the
    placeholder `${Name}`.
    """

    def __init__(self, template: Mapping[str, Json], values: Mapping[str, str]) -> None:
        self.template = template
        self.values = dict(values)
        self._read: set[str] = set()
        self._deciding: list[str] = []

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """The resources whose condition holds, by logical id."""
        found = {}
        for name, definition in (self.template.get("Resources") or {}).items():
            if isinstance(definition, dict) and self.holds(definition.get("Condition")):
                found[str(name)] = Resource(str(name), str(definition.get("Type")), definition, self.resolve)
        return found

    def of_type(self, *types: str) -> Iterator[Resource]:
        """Yield the resources of some types."""
        return (resource for resource in self.resources.values() if resource.type in types)

    def holds(self, condition: str | None) -> bool:
        """Tell whether a named condition holds; no condition always does.

        Raises ValueError for a condition that depends on itself.
        """
        if condition is None:
            return True
        if condition in self._deciding:
            raise ValueError(f"the condition {condition} depends on itself")
        definition = (self.template.get("Conditions") or {}).get(condition)
        # What a condition reads does not reach what it decides upon.
        before = set(self._read)
        self._deciding.append(condition)
        try:
            truth = definition is None or self._truth(definition)
        finally:
            self._read = before
            self._deciding.pop()
        return truth

    @cached_property
    def refused(self) -> bool:
        """Whether the section `Rules` turns these values away before anything is made.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
        """
        applying = (
            rule
            for rule in (self.template.get("Rules") or {}).values()
            if "RuleCondition" not in rule or self._truth(rule["RuleCondition"])
        )
        return not all(self._truth(assertion["Assert"]) for rule in applying for assertion in rule["Assertions"])

    def parameters_in(self, node: Json) -> set[str]:
        """Return the parameters whose value goes into a part of the template; the branches that
        conditions leave out do not count.
        """
        before, self._read = self._read, set()
        self._resolve(node)
        read, self._read = self._read, before
        return read

    def resolve(self, node: Json) -> Json:
        """Return a part of the template with its functions replaced, and without what is
        `AWS::NoValue`.
        """
        resolved = self._resolve(node)
        return None if resolved is _ABSENT else resolved

    def text(self, node: Json) -> str:
        """Return a part of the template as the one text that AWS gets: a structure becomes compact
        JSON.
        """
        resolved = self.resolve(node)
        return resolved if isinstance(resolved, str) else json.dumps(resolved, separators=(",", ":"))

    def _resolve(self, node: Json) -> Json:
        if isinstance(node, list):
            return [item for item in map(self._resolve, node) if item is not _ABSENT]
        if not isinstance(node, dict):
            return str(node) if isinstance(node, str) else node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name in self._functions:
                return self._functions[name](argument)
        resolved = {str(key): self._resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not _ABSENT}

    @cached_property
    def _functions(self) -> dict[str, Callable[[Json], Json]]:
        return {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": self._resolve,
            "Fn::ToJsonString": self.text,
            "Fn::ImportValue": lambda name: f"${{ImportValue {self.text(name)}}}",
            "Fn::GetAZs": lambda _: ["${AvailabilityZone}"],
        }

    def _ref(self, name: str) -> Json:
        if name == "AWS::NoValue":
            return _ABSENT
        parameter = (self.template.get("Parameters") or {}).get(name)
        if parameter is not None:
            self._read.add(name)
        value = self.values.get(name)
        if value is None:
            return f"${{{name}}}"
        kind = str((parameter or {}).get("Type", ""))
        return value.split(",") if kind.startswith(("List<", "CommaDelimitedList")) else value

    def _get_att(self, argument: Json) -> str:
        parts = argument if isinstance(argument, list) else [argument]
        return f"${{{'.'.join(map(self.text, parts))}}}"

    def _sub(self, argument: Json) -> str:
        pattern, variables = argument if isinstance(argument, list) else (argument, {})

        def substitute(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name in variables:
                return self.text(variables[name])
            return f"${{{name}}}" if "." in name else str(self._ref(name))

        return _VARIABLE.sub(substitute, str(pattern))

    def _if(self, argument: Json) -> Json:
        condition, then, otherwise = argument
        return self._resolve(then if self.holds(condition) else otherwise)

    def _join(self, argument: Json) -> str:
        separator, parts = argument
        resolved = self._resolve(parts)
        return str(separator).join(map(self.text, resolved if isinstance(resolved, list) else [resolved]))

    def _select(self, argument: Json) -> Json:
        index, items = argument
        resolved = self._resolve(items)
        place = int(self.text(index))
        return resolved[place] if isinstance(resolved, list) and place < len(resolved) else f"${{Select {place}}}"

    def _split(self, argument: Json) -> list[str]:
        separator, text = argument
        return self.text(text).split(str(separator))

    def _find_in_map(self, argument: Json) -> Json:
        name, *keys = (self.text(part) for part in argument[:3])
        found = (self.template.get("Mappings") or {}).get(name, {})
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return f"${{FindInMap {name}}}" if found is None else self._resolve(found)

    def _truth(self, condition: Json) -> bool:
        ((function, argument),) = condition.items()
        match function:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                first, second = map(self.text, argument)
                return first == second
            case "Fn::Not":
                (negated,) = argument
                return not self._truth(negated)
            case "Fn::And":
                return all(map(self._truth, argument))
            case "Fn::Or":
                return any(map(self._truth, argument))
            case "Fn::Contains":
                choices, chosen = map(self.resolve, argument)
                return chosen in choices
            case "Fn::EachMemberIn":
                members, choices = map(self.resolve, argument)
                return all(member in choices for member in members)
            case "Fn::EachMemberEquals":
                members, value = map(self.resolve, argument)
                return all(member == value for member in members)
            case _:
                raise ValueError(f"{function} is no function of a condition")
