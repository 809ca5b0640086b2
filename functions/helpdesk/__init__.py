"""What agents and supervisors of the helpdesk see and do."""
