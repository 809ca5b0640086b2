"""The minutes that the election bureau signs: what the register proves, and what the stack adds to
it.
"""
