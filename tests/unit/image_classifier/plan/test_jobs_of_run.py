"""Checks that a run's processing and transform jobs are found by their tags and cost what AWS bills."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import Stubber

from image_classifier.aws.jobs.owners import Owner
from image_classifier.evaluate.transform_jobs import TRANSFORM_JOBS
from image_classifier.plan.jobs_of_run import cost_of_jobs
from image_classifier.plan.prices import Price
from image_classifier.prepare.processing.jobs import PROCESSING_JOBS

BEGAN = datetime(2026, 11, 28, 12, tzinfo=UTC)
RUN = ("cats_train_and_deploy", "run-1")
OURS, OTHER = Owner(*RUN, "prepare.prepare_on_instances"), Owner("cats_train_and_deploy", "run-0", "prepare.x")
PRICES = {"ml.m5.xlarge": Price(0.25, "the Price List"), "ml.odd.xlarge": Price(None, "nobody says")}


def name(number, classifier="cats"):
    return f"image-classifier-{classifier}-{number:016x}"


def arn(job):
    return f"arn:aws:sagemaker:us-east-1:111122223333:job/{job}"


def processing(number, *, minutes=10, instances=2, instance_type="ml.m5.xlarge", status="Completed"):
    cluster = {"InstanceType": instance_type, "InstanceCount": instances, "VolumeSizeInGB": 30}
    times = {"ProcessingStartTime": BEGAN, "ProcessingEndTime": BEGAN + timedelta(minutes=minutes)} if minutes else {}
    return {
        "ProcessingJobName": name(number),
        "ProcessingJobArn": arn(name(number)),
        "ProcessingJobStatus": status,
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {"ImageUri": "an-image"},
        "CreationTime": BEGAN,
        **times,
    }


@pytest.fixture
def aws():
    client = boto3.client("sagemaker", region_name="us-east-1")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def listed(stub, *jobs, others=()):
    """AWS lists these (job, owner) pairs and the names of other classifiers' jobs, and describes the pairs."""
    summaries = [
        {"ProcessingJobName": job, "ProcessingJobArn": arn(job), "CreationTime": BEGAN, "ProcessingJobStatus": "Failed"}
        for job in (*(one["ProcessingJobName"] for one, _ in jobs), *others)
    ]
    expected = {"NameContains": "image-classifier-cats-", "LastModifiedTimeAfter": BEGAN}
    stub.add_response("list_processing_jobs", {"ProcessingJobSummaries": summaries}, expected)
    for job, _ in jobs:
        stub.add_response("describe_processing_job", job, {"ProcessingJobName": job["ProcessingJobName"]})
    for job, owner in jobs:
        tags = owner.tags() if owner else []
        stub.add_response("list_tags", {"Tags": tags}, {"ResourceArn": job["ProcessingJobArn"]})


def cost(client, jobs=PROCESSING_JOBS):
    return cost_of_jobs(client, jobs, classifier="cats", of_run=RUN, since=BEGAN, price=PRICES.__getitem__)


def test_every_instance_of_a_job_is_paid_from_its_start_to_its_end(aws):
    client, stub = aws
    listed(stub, (processing(1), OURS))

    found = cost(client)

    assert found.usd == pytest.approx(2 * 10 / 60 * 0.25, abs=1e-4)
    assert found.words == "1 processing job, 1,200 s of instances; the Price List"


def test_failed_jobs_are_counted_and_cost_nothing_without_an_instance(aws):
    client, stub = aws
    failed, without = processing(1, minutes=6, instances=1, status="Failed"), processing(2, minutes=0, status="Failed")
    listed(stub, (failed, OURS), (without, OURS), (processing(3, minutes=3, instances=1), OURS))

    found = cost(client)

    assert (found.usd, found.words) == (0.0375, "3 processing jobs, 540 s of instances; the Price List")


def test_jobs_of_other_runs_and_classifiers_are_not_counted(aws):
    client, stub = aws
    listed(stub, (processing(1), OTHER), (processing(2), None), others=[name(3, "cats-breeds")])

    assert cost(client) is None


def test_an_unknown_price_makes_the_cost_unknown(aws):
    client, stub = aws
    listed(stub, (processing(1), OURS), (processing(2, instance_type="ml.odd.xlarge"), OURS))

    found = cost(client)

    assert found.usd is None
    assert found.words.endswith("the Price List; nobody says")


def test_two_jobs_without_an_instance_cost_nothing_at_any_price(aws):
    client, stub = aws
    never_began = processing(2, minutes=0, instance_type="ml.odd.xlarge", status="Failed")
    refused = {**never_began, "ProcessingJobName": name(1), "ProcessingEndTime": BEGAN}
    listed(stub, (refused, OURS), (never_began, OURS))

    found = cost(client)

    assert (found.usd, found.words) == (0.0, "2 processing jobs, 0 s of instances; nobody says")


def test_transform_jobs_are_found_by_their_own_members(aws):
    client, stub = aws
    summary = {"TransformJobArn": arn(name(1)), "CreationTime": BEGAN, "TransformJobStatus": "Completed"}
    stub.add_response("list_transform_jobs", {"TransformJobSummaries": [{**summary, "TransformJobName": name(1)}]})
    job = {
        **summary,
        "TransformJobName": name(1),
        "ModelName": "cats",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://b/m"}}},
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        "TransformStartTime": BEGAN,
        "TransformEndTime": BEGAN + timedelta(hours=1),
    }
    stub.add_response("describe_transform_job", job)
    stub.add_response("list_tags", {"Tags": OURS.tags()})

    assert cost(client, TRANSFORM_JOBS).usd == 0.25
