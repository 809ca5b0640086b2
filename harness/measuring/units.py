"""Request units of DynamoDB by the size of items, by its own rules; an emulator's answers are
constants.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

_WRITE_UNIT = 1024
_READ_UNIT = 4096


def item_size(attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the bytes of an item in DynamoDB's typed attributes."""
    return sum(len(name.encode()) + _value_size(value) for name, value in attributes.items())


def write_units(size: int, *, transactional: bool = False) -> int:
    """Return the write units of an item of so many bytes; an update counts the larger of before and
    after.
    """
    return max(1, ceil(size / _WRITE_UNIT)) * (2 if transactional else 1)


def read_units(size: int, *, consistent: bool = True) -> float:
    """Return the read units of an item of so many bytes; one that is absent costs as much as a
    small one.
    """
    return max(1, ceil(size / _READ_UNIT)) * (1 if consistent else 0.5)


def _value_size(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            digits: str = value.lstrip("-").replace(".", "").strip("0")
            return ceil(len(digits) / 2) + 1 + (1 if value.startswith("-") else 0)
        case "B":
            return len(value)
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value_size(element) for element in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(member) for name, member in value.items())
        case "SS":
            return sum(len(element.encode()) for element in value)
    raise TypeError(f"no item here holds a {kind}")
