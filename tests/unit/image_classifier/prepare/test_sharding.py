import pytest

from image_classifier.prepare.shards.listing import Listing, sentence
from image_classifier.prepare.shards.sharding import Sharding, sharding


@pytest.mark.parametrize(
    ("wanted", "images", "expected"),
    [
        ("auto", 0, Sharding("task", 0)),
        ("auto", 19_999, Sharding("task", 20)),
        ("auto", 20_000, Sharding("mapped", 4)),
        ("auto", 5_000_000, Sharding("mapped", 64)),
        ("task", 1, Sharding("task", 1)),
        ("task", 1_001, Sharding("task", 2)),
        ("task", 50_000_000, Sharding("task", 10_000)),
        ("mapped", 5_001, Sharding("mapped", 2)),
        ("mapped", 0, Sharding("mapped", 0)),
        ("processing", 5_001, Sharding("processing", 6)),
    ],
)
def test_the_number_of_images_decides_the_runner_and_the_shards(wanted, images, expected):
    assert sharding(wanted, images) == expected


@pytest.mark.parametrize(
    ("unread", "runner", "text"),
    [
        (0, "task", "None of the 2,000 images has changed since the previous version; none is read."),
        (1_500, "task", "1,500 images are read, 500 have not changed: in one task (runner: task)."),
        (2_000, "mapped", "2,000 images are read: in 2 mapped tasks (runner: mapped)."),
        (2_000, "processing", "2,000 images are read: by a SageMaker Processing job (runner: processing)."),
    ],
)
def test_the_log_says_who_prepares_the_images(unread, runner, text):
    assert sentence(Listing(run="r", images=2_000, unread=unread, runner=runner, shards=2)) == text
