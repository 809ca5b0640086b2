"""The `reassort` command of those who run an election: the roll, a voter on the phone, the
register.
"""
