"""Which values of the parameters a template is looked at with.

An empty default says that a parameter may be left out: every combination of given and left out that
`Rules` lets through is one to deploy. A parameter that a condition compares takes each of its
values, one at a time.
"""

from collections.abc import Iterator, Mapping
from itertools import compress, product

from deployed.stack import FilledTemplate, Json

# 2 to the power of it stacks.
_MOST_OPTIONAL = 8


def defaults(template: Mapping[str, Json]) -> dict[str, str]:
    """Return the default of each parameter that has one."""
    parameters = template.get("Parameters") or {}
    return {
        str(name): _written(parameter["Default"]) for name, parameter in parameters.items() if "Default" in parameter
    }


def optional(template: Mapping[str, Json]) -> list[str]:
    """Return the parameters that may be left out: their default is the empty text."""
    return [name for name, value in defaults(template).items() if value == ""]


def given_and_left_out(template: Mapping[str, Json]) -> list[FilledTemplate]:
    """Return a stack for each combination of optional parameters that `Rules` lets through, from
    none given to all given.

    Raises ValueError for a template with more optional parameters than can be looked at.
    """
    names = optional(template)
    if len(names) > _MOST_OPTIONAL:
        raise ValueError(f"{len(names)} optional parameters are more than the {_MOST_OPTIONAL} that are looked at")
    start = defaults(template)
    stacks = [
        FilledTemplate(template, start | {name: f"${{{name}}}" for name in compress(names, chosen)})
        for chosen in sorted(product([False, True], repeat=len(names)), key=sum)
    ]
    return [stack for stack in stacks if not stack.refused]


def choices(template: Mapping[str, Json]) -> dict[str, list[str]]:
    """Return the values worth trying of each parameter that a condition compares with something."""
    parameters = template.get("Parameters") or {}
    compared: dict[str, list[str]] = {}
    for name, literal in _comparisons(template.get("Conditions") or {}):
        if name in parameters:
            compared.setdefault(name, []).append(literal)
    return {
        name: [_written(value) for value in parameters[name].get("AllowedValues", [])] or [*literals, f"${{{name}}}"]
        for name, literals in compared.items()
    }


def stacks(template: Mapping[str, Json]) -> list[FilledTemplate]:
    """Return the stacks that a rule looks at: the least and the most that is given, each with one
    choice made differently.
    """
    combinations = given_and_left_out(template) or [FilledTemplate(template, defaults(template))]
    found = []
    for values in (combinations[0].values, combinations[-1].values):
        found.append(values)
        found += [
            values | {name: choice}
            for name, all_choices in choices(template).items()
            for choice in all_choices
            if choice != values.get(name)
        ]
    found += [stack.values for stack in combinations]
    unique = {tuple(sorted(values.items())): values for values in found}
    return [stack for stack in (FilledTemplate(template, values) for values in unique.values()) if not stack.refused]


def _comparisons(node: Json) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for item in node:
            yield from _comparisons(item)
    elif isinstance(node, dict):
        match node.get("Fn::Equals"):
            case [{"Ref": name}, str(literal)] | [str(literal), {"Ref": name}]:
                yield str(name), str(literal)
        for value in node.values():
            yield from _comparisons(value)


def _written(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
