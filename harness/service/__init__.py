"""The functions, wired as in production, and their callers."""
