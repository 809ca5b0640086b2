"""One voter, as the helpdesk sees and changes them."""
