"""Halves of a page that open dialogs of their own."""
