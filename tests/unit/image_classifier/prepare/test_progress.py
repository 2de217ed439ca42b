import pytest

from image_classifier.prepare.inspection.inspector import Rejected
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.progress import Progress, duration


def test_progress_is_said_every_few_seconds_and_at_the_end():
    now, said = iter([0, 1, 4.9, 5, 6, 10, 20]), []
    progress = Progress(said.append, total=9_500, clock=lambda: next(now))

    for images, rejected in ((100, 0), (1_000, 2), (100, 0), (100, 0), (1_200, 1), (7_000, 0)):
        progress.add(images, rejected=rejected)

    assert said == [
        "1,200 of 9,500 images inspected, 2 rejected; 240 a second, about 35 s left",
        "2,500 of 9,500 images inspected, 3 rejected; 250 a second, about 28 s left",
        "9,500 of 9,500 images inspected, 3 rejected; 475 a second",
    ]


def test_a_rejected_image_is_counted_as_such(inspected):
    said = []
    progress = Progress(said.append, total=2, clock=lambda: 0)

    progress.count(Rejected(Listed("a.png", "cat", None), "empty", "The file is empty."))
    progress.count(inspected("cat/b.png"))

    assert said == ["2 of 2 images inspected, 1 rejected"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (5_900, "98 min"), (7_500, "2 h 05 min")]
)
def test_a_length_of_time_is_said_in_the_unit_that_fits(seconds, text):
    assert duration(seconds) == text
