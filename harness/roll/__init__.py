"""Rolls of any length, and an endpoint that accepts what an import writes."""
