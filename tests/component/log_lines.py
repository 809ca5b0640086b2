"""What the functions logged, by message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.service.world import World

# What every line has, whatever it tells.
_OF_EACH_LINE = {"timestamp", "level", "location", "service", "correlation_id", "message"}


def told(world: World, message: str) -> list[dict[str, Any]]:
    """Return the facts of each line with a message, oldest first."""
    lines = [line for line in world.log_lines if line.get("message") == message]
    return [{name: line[name] for name in line.keys() - _OF_EACH_LINE} for line in lines]
