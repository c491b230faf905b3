"""The command line: one module per group; parses, calls a service, prints."""
