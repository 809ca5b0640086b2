"""Checks of an account before anything is deployed to it."""
