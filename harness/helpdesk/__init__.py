"""The page of the helpdesk in a browser, on answers made up for a state."""
