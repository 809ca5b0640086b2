"""`python -m reassort_ops`, where the `reassort` script is not installed."""

from reassort_ops.cli import app

app()
