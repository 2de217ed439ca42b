"""Checks that each share of a batch finds its own parts, in order, and the batch all of them."""

import pytest
from tests.unit.image_classifier.classify_existing.batches import planned
from tests.unit.image_classifier.classify_existing.test_kept_batches import REQUEST

from image_classifier.classify_existing.batch import Batch
from image_classifier.classify_existing.batch_images import prepare_share
from image_classifier.classify_existing.batch_parts import part_key, part_keys, read_part, write_part
from image_classifier.contracts.models import Model
from image_classifier.contracts.pixels import PixelParameters

BATCH = planned(REQUEST.started, shares=2)


def parts(s3, **which):
    return part_keys(s3, bucket="pictures", prefix=BATCH.prefix, **which)


@pytest.fixture
def written(s3):
    """Parts of three shares, of which the last has three digits."""
    keys = [part_key(BATCH.prefix, share=share, number=number) for share in (1, 10, 100) for number in (0, 1)]
    for key in keys:
        write_part(s3, [], bucket="pictures", key=key)
    return keys


def test_a_share_has_its_own_parts_and_the_batch_all(s3, written):
    assert [parts(s3, share=share) for share in (1, 10, 100)] == [written[:2], written[2:4], written[4:]]
    assert parts(s3, share=0) == []
    assert parts(s3) == written


def test_two_shares_together_prepare_every_image_once(s3, monkeypatch):
    names = [f"pets/incoming/{number}.png" for number in range(10)]
    for name in names:
        s3.put_object(Bucket="pictures", Key=name, Body=b"no image")
    monkeypatch.setattr(Batch, "read_model", lambda *_: Model(("cat",), "", PixelParameters(32), unmodified=False))

    counts = [prepare_share(s3, BATCH, REQUEST, share=share) for share in (0, 1)]

    prepared = [[line["key"] for key in parts(s3, share=n) for line in read_part(s3, "pictures", key)] for n in (0, 1)]
    assert sorted(prepared[0] + prepared[1]) == names
    assert counts == [len(share) for share in prepared]
    assert all(counts)
