"""The electoral roll: read from a file, checked, put on a stack."""
