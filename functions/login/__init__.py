"""Sign-in by a one-time code to the professional mailbox."""
