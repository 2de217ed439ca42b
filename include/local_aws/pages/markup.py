"""Renders the pages' HTML: a document, tables of answers, links. All text is escaped here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1b1f24 }
h1 { font-size: 1.4rem; overflow-wrap: anywhere } h2 { font-size: 1.05rem; margin-top: 2rem }
table { border-collapse: collapse } td, th { padding: .2rem 1rem .2rem 0; text-align: left; vertical-align: top }
th { font-weight: 600; white-space: nowrap } td { overflow-wrap: anywhere } tr { border-bottom: 1px solid #d8dee4 }
td table tr:last-child { border: 0 } pre { background: #f6f8fa; padding: 1rem; overflow-x: auto }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #e6edf3 } pre { background: #161b22 }
  a { color: #79b8ff } tr { border-color: #30363d }
}
"""


def document(title: str, *parts: str) -> str:
    """Return a whole page; the parts are HTML."""
    head = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>"
    )
    return f"{head}<body><main><h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>"


def section(heading: str, content: str) -> str:
    """Return a part of a page with a heading."""
    return f"<h2>{escape(heading)}</h2>{content}"


def link(address: str, text: str) -> str:
    """Return a link; the address and the text are escaped."""
    return f'<a href="{escape(address)}">{escape(text)}</a>'


def facts(answer: Mapping[str, object]) -> str:
    """Return a table of an answer's members, with tables inside for nested ones."""
    rows = "".join(f"<tr><th>{escape(str(name))}</th><td>{_value(value)}</td></tr>" for name, value in answer.items())
    return f"<table>{rows}</table>"


def rows(headings: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    """Return a table with a header row; the cells are HTML."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells)
    return f"<table><tr>{head}</tr>{body}</table>"


def lines(text: Iterable[str]) -> str:
    """Return lines of a log as preformatted text."""
    return f"<pre>{escape(chr(10).join(text))}</pre>"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return facts(value)
    if isinstance(value, list):
        return "<br>".join(_value(item) for item in value)
    if isinstance(value, datetime):
        return escape(f"{value:%Y-%m-%d %H:%M:%S %Z}")
    return escape(str(value))
