"""What the voting platform is given and compared with."""
