"""Checks in a real browser the reports, each of which is a file of its own and follows the system's colours."""

import os
import subprocess
import sys
from unittest import mock

import pytest
from axe_core_python.sync_playwright import Axe
from tests.pages.conftest import ROOT
from tests.pages.written import Written, drawn

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


def test_on_a_telephone_no_word_of_a_class_is_divided(chromium, tmp_path):
    for label in ("Pinus pseudoplatanus", "Quercus robur"):
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "images" / label / f"{number}.jpg").write_bytes(drawn(label, number))
    command = [
        sys.executable,
        "-m",
        "image_classifier",
        "inspect",
        tmp_path / "images",
        "--report",
        tmp_path / "report",
    ]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT / "include")}, check=True, capture_output=True)
    page = chromium.new_page(viewport={"width": 375, "height": 800})
    page.goto(f"file://{tmp_path}/report/report.html")

    heights = [
        one.evaluate("one => one.offsetHeight") for one in page.locator("table").first.get_by_role("rowheader").all()
    ]
    page.close()
    assert len(heights) == 2
    assert max(heights) < 75  # two lines
