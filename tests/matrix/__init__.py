"""The crash matrix: every AWS call of every handler, and everything that can happen to a call."""
