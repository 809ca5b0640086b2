"""The stack that is deployed on this machine."""
