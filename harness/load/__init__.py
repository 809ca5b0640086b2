"""Thousands of voters within minutes, in virtual time."""
