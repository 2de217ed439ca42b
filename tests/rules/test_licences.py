"""Checks that docs/licences.md has the licence of every package in the images."""

import re

from laptop import licences

PAGE = licences.PAGE.read_text()
KNOWN = dict(re.findall(r"^\| ([a-z0-9-]+) \| (.*?) \| [^|]* \|$", PAGE, re.MULTILINE))


def test_every_package_of_the_images_is_on_the_page_with_its_licence():
    missing = [name for name in licences.contents() if not KNOWN.get(name)]

    assert missing == [], "make sbom"


def test_the_page_names_the_images_that_contain_a_package():
    assert licences.page(KNOWN) == PAGE


def test_a_package_of_the_algorithm_s_image_is_one_of_the_local_aws():
    torch = licences.contents()["torch"]

    assert torch == ["local AWS", "algorithm"]


def test_a_licence_is_the_last_word_of_a_classifier_or_an_expression():
    components = [
        {"name": "One_Package", "licenses": [{"license": {"name": "License :: OSI Approved :: MIT License"}}]},
        {"name": "two", "licenses": [{"expression": "MIT OR Apache-2.0"}, {"license": {"id": "MIT"}}]},
        {"name": "protobuf"},
    ]

    found = licences.licences([{"components": components}])

    assert found["one-package"] == "MIT License"
    assert found["two"] == "MIT OR Apache-2.0 / MIT"
    assert found["protobuf"].startswith("BSD-3-Clause")
