"""transferscope: what did the tuning carry over to everything else, and what did it cost?"""

__version__ = "0.1.0"
