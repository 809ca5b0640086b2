"""Cells of the CSV files that offices open in a spreadsheet."""

from __future__ import annotations


def inert(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
