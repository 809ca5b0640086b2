"""Checks of a deployed stack: what an emulator cannot show."""
