"""Checks in a real browser the evaluation report, which is a file of its own and follows the system's colours."""

from unittest import mock

import pytest
from axe_core_python.sync_playwright import Axe
from tests.pages.written import Written

from image_classifier.evaluate.report.page import report_page

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("right", [1.0, 0.5, 0.0])
def test_axe_finds_nothing_serious_in_an_evaluation_report(chromium, theme, right):
    written = Written(mock.MagicMock(), "bucket", "pets", labels=("cat", "dog"))
    report = written.model("image-classifier-pets-1a2b3c4d-99887766", fingerprint="1a2b3c4d" + "0" * 56, right=right)
    context = chromium.new_context(color_scheme=theme)
    page = context.new_page()
    page.set_content(report_page(report, pictures={}).decode())

    found = Axe().run(page)["violations"]

    context.close()
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
