"""Checks report.html: one file with pictures, and its text about a set with every kind of problem."""

import base64
import io
import itertools
import json
import os
import random
import re

import pytest
from markupsafe import escape
from PIL import Image

from image_classifier.contracts.signatures import JPEG
from image_classifier.gallery.report_pictures import pictures_of
from image_classifier.prepare.inspect_source import inspect_source
from image_classifier.prepare.report.schema import TRAITS, Report


def photograph(seed, *, size=(96, 72), image_format="JPEG", **options):
    patches = Image.frombytes("RGB", (6, 4), random.Random(seed).randbytes(72))
    out = io.BytesIO()
    patches.resize(size, Image.Resampling.BICUBIC).save(out, image_format, **options)
    return out.getvalue()


def changed(data, *, mode="RGB", image_format="JPEG", **options):
    out = io.BytesIO()
    Image.open(io.BytesIO(data)).convert(mode).save(out, image_format, **options)
    return out.getvalue()


def animation():
    first, second = (Image.open(io.BytesIO(photograph(seed))) for seed in (1, 2))
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=[second])
    return out.getvalue()


def black():
    out = io.BytesIO()
    Image.new("RGB", (90, 60)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def messy(images):
    """Two classes with one of everything."""
    large = photograph(900, size=(400, 300), quality=95)
    return images(
        {
            "cat": {
                **{f"{number}.jpg": photograph(number) for number in range(40)},
                "nearly 0.jpg": changed(photograph(0), quality=50),
                "copy of 1.jpg": photograph(1),
                "of both.jpg": photograph(800),
                "cut.jpg": large[: len(large) // 2],
                "moving.gif": animation(),
                "<b>.jpg": b"<html>",
                "notes.txt": b"a box",
            },
            "dog": {
                **{f"{number}.jpg": photograph(number) for number in range(100, 140)},
                "of both too.jpg": photograph(800),
                "cmyk.jpg": changed(photograph(200), mode="CMYK"),
                "grey.png": changed(photograph(201), mode="L", image_format="PNG"),
                "jpeg.png": photograph(202),
                "palette.png": changed(photograph(203), mode="P", image_format="PNG"),
                "see-through.png": changed(photograph(204), mode="RGBA", image_format="PNG"),
                "black.png": black(),
            },
            "": {"README.md": b"text"},
        }
    )


@pytest.fixture
def inspection(messy):
    return inspect_source(str(messy), fields={}, s3=None, on_progress=lambda line: None)


def test_the_report_has_the_documented_keys(inspection):
    assert set(inspection.report) == set(Report.__annotations__)
    json.dumps(inspection.report)


def test_every_file_is_counted_once(inspection, messy):
    counts = inspection.report["counts"]

    assert sum(counts.values()) == sum(1 for file in messy.rglob("*") if file.is_file())
    assert {name: count for name, count in counts.items() if name != "used"} == {
        "duplicates": 1,
        "leaks": 0,
        "conflicts": 2,
        "near_test": 0,
        "rejected": 3,
        "no_images": 1,
        "outside_classes": 1,
    }


def test_what_is_changed_in_the_copies_is_named(inspection):
    found = {trait["code"]: trait["examples"][0] for trait in inspection.report["traits"]}

    assert found.keys() <= TRAITS.keys()
    assert found.pop("enlarged")
    assert found == {
        "cmyk": "dog/cmyk.jpg",
        "grey": "dog/grey.png",
        "extension_differs": "dog/jpeg.png",
        "palette": "dog/palette.png",
        "transparent": "dog/see-through.png",
    }


def test_near_duplicates_and_unusual_images_are_listed(inspection):
    (group,) = inspection.report["near_duplicates"]

    assert {one["name"] for one in group["images"]} == {"cat/0.jpg", "cat/nearly 0.jpg"}
    assert len(group["splits"]) == 1
    assert ("dark", "dog/black.png") in {(one["kind"], one["name"]) for one in inspection.report["unusual"]}


def test_the_page_is_one_file_with_pictures(inspection):
    page = inspection.page.decode()

    assert "default-src 'none'; img-src data:" in page
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert "<script" not in page
    assert page.count("data:image/jpeg;base64,") > 15
    assert "cat/&lt;b&gt;.jpg" in page
    for warning in inspection.report["warnings"]:
        assert str(escape(warning)) in page


def test_rejected_images_are_shown_as_far_as_they_can_be(inspection):
    figures = re.findall(r"<figure>(.*?)</figure>", inspection.page.decode(), re.DOTALL)
    shown = {name: any(name in one and "<img" in one for one in figures) for name in ("cut.jpg", "moving.gif", "&lt;b")}

    assert shown == {"cut.jpg": True, "moving.gif": True, "&lt;b": False}


def test_the_pages_find_pictures_of_rejected_and_changed_images(inspection):
    found = pictures_of(inspection.page)

    assert {"cat/cut.jpg", "cat/moving.gif", "dog/cmyk.jpg", "dog/palette.png"} <= found.keys()
    assert "cat/<b>.jpg" not in found
    assert base64.b64decode(found["cat/cut.jpg"].partition(",")[2]).startswith(JPEG)


def test_the_report_is_written_into_a_folder(inspection, tmp_path):
    page = inspection.write(tmp_path / "new" / "folder")

    assert page.read_bytes() == inspection.page
    assert json.loads((page.parent / "report.json").read_text()) == inspection.report


def test_the_figures_are_said_in_lines(inspection):
    lines = inspection.as_text().splitlines()

    assert lines[0] == "The classes are the folders of the source: 'cat', 'dog'."
    assert lines[2] == "Left out: 1 duplicates, 2 conflicts, 3 rejected, 1 no images, 1 outside classes."
    assert lines[3].startswith("Warning: ")


def test_the_page_is_not_made_again_for_an_unchanged_set(messy, prepare, stored, monkeypatch):
    first = prepare()
    page = stored(key := first.report_key.replace(".json", ".html"))[key]
    monkeypatch.setattr(
        "image_classifier.prepare.report.pictures.pictures", lambda *given, **more: pytest.fail("read images")
    )

    prepare()

    assert stored(key)[key] == page
    assert b"data:image/jpeg" in page


def test_names_that_are_not_unicode_are_in_the_report_and_on_the_page(images, tmp_path):
    folder = images({"cat": {f"{number}.jpg": photograph(number) for number in range(9)}})
    images({"dog": {f"{number}.jpg": photograph(100 + number) for number in range(9)}})
    for name, data in ((b"caf\xe9.jpg", b"no image"), (b"caf\xe8.jpg", photograph(0)), (b"caf\xe7.png", photograph(9))):
        (folder / "cat" / os.fsdecode(name)).write_bytes(data)

    inspect_source(str(folder), fields={}, s3=None, on_progress=lambda line: None).write(tmp_path)

    report = json.loads((tmp_path / "report.json").read_text())
    assert report["rejected"][0]["name"] == r"cat/caf\udce9.jpg"
    assert {r"cat/caf\udce9.jpg", r"cat/caf\udce7.png"} & pictures_of((tmp_path / "report.html").read_bytes()).keys()
    assert r"cat/caf\udce9.jpg" in (tmp_path / "report.html").read_text()


def test_a_damaged_animation_is_rejected_and_stops_no_inspection(tmp_path):
    first, second = (Image.effect_noise((64, 64), sigma).convert("RGB") for sigma in (30, 60))
    out = io.BytesIO()
    first.save(out, "AVIF", save_all=True, append_images=[second])
    frames = out.getvalue().index(b"mdat") + 4
    for label, seed in itertools.product(("cat", "dog"), range(8)):
        (tmp_path / label).mkdir(exist_ok=True)
        (tmp_path / label / f"{seed}.jpg").write_bytes(photograph(f"{label}{seed}"))
    (tmp_path / "cat" / "moving.avif").write_bytes(out.getvalue()[:frames] + bytes(64) + out.getvalue()[frames + 64 :])

    found = inspect_source(str(tmp_path), fields={}, s3=None, on_progress=lambda line: None)
    rejected = found.report["rejected"]

    assert [(one["name"], one["code"]) for one in rejected] == [("cat/moving.avif", "animated")]
