"""The local stack: an embedded AWS, the project's own template deployed on it, and one origin in
front of both. Never deployed.
"""
