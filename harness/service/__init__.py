"""The functions, wired as in production, and whoever calls them."""
