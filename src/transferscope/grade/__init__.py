"""Graders: the single definition of "correct", as pure functions, one module per kind of answer."""
