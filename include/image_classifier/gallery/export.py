"""Exports the predictions that a filter selects as CSV and as JSON Lines."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping

from image_classifier.contracts.corrections import Correction
from image_classifier.gallery.rows import Row

COLUMNS = (
    "key",
    "version_id",
    "status",
    "label",
    "confidence",
    "uploaded",
    "predicted",
    "training_job",
    "reason",
    "corrected_answer",
    "corrected_label",
    "corrected_by",
    "corrected_at",
)
FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
)  # a spreadsheet evaluates a cell that begins with one of these (OWASP, "CSV Injection")


def as_json_lines(rows: Iterable[Row], corrections: Mapping[str, Correction]) -> Iterator[str]:
    """Yield one JSON object per line, with the keys `COLUMNS`."""
    for row in rows:
        yield json.dumps(_values(row, corrections), ensure_ascii=False) + "\n"


def as_csv(rows: Iterable[Row], corrections: Mapping[str, Correction]) -> Iterator[str]:
    """Yield a header and one line per row; an apostrophe precedes text that a spreadsheet would run as a formula."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS)
    writer.writeheader()
    for row in rows:
        values = _values(row, corrections)
        writer.writerow({name: _harmless(value) for name, value in values.items()})
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _values(row: Row, corrections: Mapping[str, Correction]) -> dict[str, object]:
    correction = corrections.get(row.key)
    answers = (correction.answer, correction.label, correction.by, correction.at) if correction else (None,) * 4
    return dict(zip(COLUMNS, [*(getattr(row, name) for name in COLUMNS[:9]), *answers], strict=True))


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
