"""What the voting platform asks: is this identifier valid, and record its vote."""
