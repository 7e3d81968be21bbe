"""Launch files for large-scale trainers: the paper's two settings with our queries and grader."""

from .accelerated import export_accelerate
from .llamafactory import export_llamafactory
from .verl import export_verl

__all__ = ["export_accelerate", "export_llamafactory", "export_verl"]
