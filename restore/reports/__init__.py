"""What was done, for people to read: a word diff, a table of edits, a page to open in a browser."""

from restore.reports.diff import word_diff
from restore.reports.html import HtmlReport, write_html
from restore.reports.table import explanation

__all__ = ["HtmlReport", "explanation", "word_diff", "write_html"]
