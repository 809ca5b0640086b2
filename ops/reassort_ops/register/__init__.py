"""The bureau's register: its chains, its check, its signed file."""
