"""What every room may use: errors, files, the machine, user code, text."""
