"""Checks that each shard of a listing is assigned to one instance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_classifier.prepare.processing.work import Work, has_parts

RUN = "0123456789abcdef"


@given(st.integers(1, 500), st.integers(1, 100), st.integers(0, 10**7))
def test_each_shard_belongs_to_exactly_one_instance(shards, instances, images):
    work = Work("cats", RUN, shards, images)
    parts = [work.shards_of(number, instances=instances) for number in range(instances)]

    assert sorted(shard for part in parts for shard in part) == list(range(shards))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert sum(work.images_of(part) for part in parts) <= images


def test_work_is_read_back_from_its_arguments():
    work = Work("cats", RUN, 12, 11_800)

    assert Work.of(work.arguments) == work


@pytest.mark.parametrize(("parts", "expected"), [([0, 1, 2], True), ([0, 2], False), ([], False)])
def test_a_job_has_results_while_every_shard_has_its_part(s3, parts, expected):
    for number in parts:
        s3.put_object(
            Bucket="pictures", Key=f"cats/dataset/listing/{RUN}/inspected/part-{number:05}.jsonl.gz", Body=b""
        )
    arguments = Work("cats", RUN, 3, 30).arguments
    request = {
        "AppSpecification": {"ContainerArguments": arguments},
        "Environment": {"IMAGE_CLASSIFIER_BUCKET": "pictures"},
    }

    assert has_parts(s3, request) is expected
