"""Proof: every component against the library it takes after, and a way to check your own."""
