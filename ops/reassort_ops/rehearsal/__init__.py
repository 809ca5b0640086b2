"""A first morning with fictional voters."""
