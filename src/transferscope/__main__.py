"""``python -m transferscope``."""

from .cli import main

main()
