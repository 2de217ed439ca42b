"""Checks the steps of the Dag that classifies images which are in the bucket already."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from tests.unit.image_classifier.classify_existing.batches import planned

from image_classifier.classifier import Classifier
from image_classifier.classify_existing import batch as batches
from image_classifier.contracts.errors import BudgetError, ClassifierFileError
from image_classifier_airflow.steps import classify_existing as steps
from image_classifier_airflow.steps import clients

BUCKET = "a-bucket"
PETS = Classifier(name="pets", source="pets", max_cost_usd=1.0)
PARAMS = {
    "classifier": "pets",
    "prefix": None,
    "again": False,
    "tasks": 4,
    "concurrency": 2,
    "transform_above": 20_000,
    "max_cost_usd": None,
}
BEGAN = datetime(2026, 11, 28, tzinfo=UTC)
RUN = SimpleNamespace(start_date=BEGAN, dag_id="dag", run_id="run")
BATCH = planned(BEGAN, bucket=BUCKET, shares=2)


class Functions:
    """A function that writes a record for every image, and keeps what it was asked."""

    def __init__(self, s3):
        self.s3, self.asked, self.generations = s3, [], set()

    def invoke(self, **request):
        [record] = json.loads(request["Payload"])["Records"]
        key = record["s3"]["object"]["key"]
        self.asked.append(key)
        self.generations.add(record["generation"])
        self.s3.put_object(Bucket=BUCKET, Key=f"{key.replace('incoming', 'predictions')}.json", Body=b"{}")
        return {}


@pytest.fixture
def functions(aws, monkeypatch):
    """The live function; pets is the only classifier."""
    function = Functions(aws.s3)
    monkeypatch.setattr(clients, "functions", lambda _: function)
    monkeypatch.setattr(steps, "classifier_of", lambda _: PETS)
    return function


def upload(aws, number):
    keys = [f"pets/incoming/{name}.jpg" for name in range(number)]
    for key in keys:
        aws.s3.put_object(Bucket=BUCKET, Key=key, Body=b"image")
    return keys


def plan(run=RUN, **params):
    return steps.plan({**PARAMS, **params}, run)


def task(planned):
    """A task instance that gives the plan's results, which went through JSON."""
    results = json.loads(json.dumps(planned))
    return SimpleNamespace(xcom_pull=lambda *, task_ids, key, map_indexes: {"plan": results}[task_ids][key])


def classify(planned, **params):
    return [steps.classify(share, {**PARAMS, **params}, task(planned)) for share in planned["shares"]]


@pytest.mark.parametrize("number", [1, 3, 20])
def test_every_image_is_in_one_share_also_of_fewer_images_than_tasks(aws, functions, number):
    keys, planned = upload(aws, number), plan()

    done = classify(planned)

    assert sorted(functions.asked) == sorted(keys)
    assert sum(one["classified"] for one in done) == number
    assert planned["shares"] == list(range(min(4, number)))


def test_nothing_to_classify_means_no_task(aws, functions):
    assert plan()["shares"] == []


def test_a_task_that_is_cleared_later_leaves_out_what_the_run_has_done(aws, functions):
    upload(aws, 5)
    run = SimpleNamespace(start_date=datetime.now(UTC) - timedelta(hours=1), dag_id="dag", run_id="run")
    planned = plan(run, again=True)
    classify(planned, again=True)

    classify(planned, again=True)  # Airflow has given the run another start by then

    assert len(functions.asked) == 5
    assert functions.generations == {round(run.start_date.timestamp() * 1000)}


def test_the_lower_limit_of_run_and_file_holds(aws, functions, monkeypatch):
    upload(aws, 1)
    monkeypatch.setattr("image_classifier.classify_existing.run.USD_PER_IMAGE", 0.9)

    assert plan(max_cost_usd=5.0)["shares"] == [0]
    with pytest.raises(BudgetError, match=r"max_cost_usd is 0\.80"):
        plan(max_cost_usd=0.8)
    monkeypatch.setattr("image_classifier.classify_existing.run.USD_PER_IMAGE", 1.1)
    with pytest.raises(BudgetError, match=r"max_cost_usd is 1\.00"):
        plan(max_cost_usd=5.0)


@pytest.fixture
def planned_batch(functions, monkeypatch):
    """What is asked of a batch that is planned."""
    asked = {}

    def plan_batch(_, target, **arguments):
        asked.update(arguments, target=target)
        return BATCH

    monkeypatch.setattr(batches, "plan_batch", plan_batch)
    return asked


def test_more_images_than_the_param_go_through_a_transform_job(aws, planned_batch):
    upload(aws, 3)

    planned = plan(transform_above=2, tasks=2)

    assert (planned["shares"], planned["transform_shares"]) == ([], [0, 1])
    assert (planned_batch["shares"], planned_batch["started_ms"]) == (2, BATCH.started_ms)
    other = SimpleNamespace(**vars(RUN) | {"run_id": "other"})
    assert plan(other, transform_above=3)["transform_shares"] == []


def test_a_run_that_is_cleared_as_a_whole_pays_for_no_other_job(aws, planned_batch, monkeypatch):
    upload(aws, 3)
    first = plan(transform_above=2)
    monkeypatch.setattr("image_classifier.classify_existing.kept_batches.plan_batch", batches.plan_batch)
    cleared = SimpleNamespace(**vars(RUN) | {"start_date": BEGAN + timedelta(hours=1)})

    assert plan(cleared, transform_above=2, max_cost_usd=0.0) == first

    steps.delete_prepared_images(PARAMS, task(first))
    plan(cleared, transform_above=2)
    assert planned_batch["started_ms"] == BATCH.started_ms + 3_600_000


def test_a_transform_job_is_refused_if_it_may_cost_more(aws, planned_batch):
    upload(aws, 3)

    with pytest.raises(BudgetError, match="Nothing was started"):
        plan(transform_above=0, max_cost_usd=0.1)
    assert planned_batch == {}


def test_the_tasks_of_a_batch_use_the_plans_batch_and_start(aws, planned_batch, monkeypatch):
    upload(aws, 3)
    called = {}
    monkeypatch.setattr(
        "image_classifier.classify_existing.batch_images.prepare_share",
        lambda s3, batch, request, *, share: called.update(batch=batch, request=request, prepared=share) or 2,
    )
    monkeypatch.setattr(
        "image_classifier.classify_existing.batch_records.write_records",
        lambda s3, batch, *, share, generation: called.update(written=share, generation=generation) or 2,
    )
    asked = {**PARAMS, "again": True, "prefix": "a/"}
    ti = task(plan(transform_above=0, again=True))

    assert steps.prepare_images(1, asked, ti) == steps.write_records(0, asked, ti) == 2
    assert (called["batch"], called["prepared"], called["written"]) == (BATCH, 1, 0)
    assert (called["request"].prefix, called["request"].started) == ("a/", BEGAN)
    assert called["generation"] == round(BEGAN.timestamp() * 1000)


def test_a_classifier_without_a_file_is_named_with_those_that_have_one():
    with pytest.raises(ClassifierFileError, match=r"no classifier file cats\.yaml; there are digits"):
        steps.classifier_of("cats")
