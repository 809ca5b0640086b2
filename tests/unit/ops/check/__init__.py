"""`reassort check` on answers of AWS in their real shape."""
