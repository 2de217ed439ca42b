"""Checks that the pages escape everything that they show."""

from datetime import UTC, datetime

from local_aws.pages.markup import document, facts, lines, link, rows, section

SCRIPT = "<script>alert(1)</script>"
SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;"


def test_nothing_that_is_shown_becomes_html():
    shown = [
        document(SCRIPT),
        section(SCRIPT, ""),
        link(f'"{SCRIPT}', SCRIPT),
        facts({SCRIPT: [SCRIPT, {SCRIPT: SCRIPT}]}),
        rows([SCRIPT], []),
        lines([SCRIPT]),
    ]

    assert all(SCRIPT not in html and SAFE in html for html in shown)
    assert '""' not in link('"', "")


def test_an_answer_becomes_tables_within_tables():
    html = facts({"Status": "InService", "Counts": [{"Count": 1}, 2], "At": datetime(2026, 1, 2, 3, 4, tzinfo=UTC)})

    assert "<th>Status</th><td>InService</td>" in html
    assert "<th>Count</th><td>1</td></tr></table><br>2</td>" in html
    assert "2026-01-02 03:04:00 UTC" in html
