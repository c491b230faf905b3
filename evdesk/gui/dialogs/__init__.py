"""Questions and forms in a window of their own; none of them blocks."""
