"""What "correct" means, once: one module per kind of answer, pure functions."""
