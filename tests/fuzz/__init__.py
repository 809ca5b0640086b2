"""Requests that are nearly right, by the thousand: what the service answers, and what it keeps as
it was.
"""
