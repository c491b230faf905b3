"""Use cases, one module per noun: reachable from the window and the command line alike."""
