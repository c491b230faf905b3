"""Carrying documents and messages out of the house: e-mail."""
