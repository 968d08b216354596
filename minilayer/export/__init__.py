"""Networks for other programs: web pages to draw on."""

from .html import to_html

__all__ = ["to_html"]
