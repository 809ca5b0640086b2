"""The voter space in a browser, on a stack or on answers made up for a state."""
