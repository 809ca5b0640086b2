"""The built functions, alone in a process or under Lambda's runtime emulator."""
