"""Who may come to the helpdesk's page, and what the page must know of its stack."""
