"""Telling the voting platform of each identifier whose status changed."""
