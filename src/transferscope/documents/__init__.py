"""Versioned, frozen results: what is written, shown and read."""
