"""A comparison for people to read: as an HTML page, a Markdown comment or terminal output."""

from __future__ import annotations

from .csv import render_csv
from .html import render_html
from .markdown import render_markdown
from .report_input import ReportInput

__all__ = ["ReportInput", "render_csv", "render_html", "render_markdown"]
