"""One file for each group of commands: what it takes, what it prints, its exit status."""
