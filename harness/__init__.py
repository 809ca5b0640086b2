"""What tests and measurements have in common: the service on an engine, its surroundings, and what
counts. It imports neither of them.
"""
