"""Checks the log lines from which CloudWatch makes metrics."""

import pytest

from image_classifier_inference.log_lines import image_line


@pytest.mark.parametrize(("label", "dimension"), [("dog", "dog"), ("k\u00e4fer", "k\\xe4fer"), ("\u732b", "\\u732b")])
def test_a_label_is_a_dimension_in_ascii_which_cloudwatch_asks_for(label, dimension):
    line = image_line({"status": "predicted", "label": label}, classifier="pets")

    assert (line["label"], line["Label"]) == (label, dimension)
