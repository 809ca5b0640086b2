"""What stands in for AWS in this process: moto, and the services of MiniStack."""
