"""Generated requests, and what an answer to them must keep to."""
