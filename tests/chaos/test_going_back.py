"""Checks that a rollback changes labels and model together, and that no run promotes the rejected model."""

import itertools
import json
import threading
from typing import Any

import pytest
from tests.chaos.airflow_runs import Run, until
from tests.chaos.classifiers import COMPARED_PER_CLASS, write_images

from image_classifier.aws.names import endpoint_name

pytestmark = pytest.mark.timeout(1800)

NAME, DAG_ID = "returning", "returning_train_and_deploy"
LABELS = {"first": {"dark", "light"}, "second": {"black", "white"}}
BETWEEN_S = 0.5


class Uploads:
    """Somebody who uploads an image every half second."""

    def __init__(self, aws: Any, image: bytes) -> None:
        self._aws, self._image, self.names = aws, image, list[str]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._upload, daemon=True)

    def __enter__(self) -> "Uploads":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def upload(self, name: str) -> None:
        self._aws.s3.put_object(Bucket=self._aws.bucket, Key=f"{NAME}/incoming/{name}", Body=self._image)
        self.names.append(name)

    def records(self) -> list[dict[str, Any]]:
        """The record of each upload; waits for those that are missing."""
        wanted = {f"{NAME}/predictions/{name}.json" for name in self.names}
        until(lambda: wanted <= self._listed(), seconds=300, what="the records of all uploads")
        bodies = [self._aws.s3.get_object(Bucket=self._aws.bucket, Key=key)["Body"].read() for key in sorted(wanted)]
        return [json.loads(body) for body in bodies]

    def _listed(self) -> set[str]:
        pages = self._aws.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._aws.bucket, Prefix=f"{NAME}/predictions/"
        )
        return {found["Key"] for page in pages for found in page.get("Contents", [])}

    def _upload(self) -> None:
        for number in itertools.count():
            if self._over.wait(BETWEEN_S):
                return
            self.upload(f"traffic/{number:05}.jpg")


def serving(aws: Any) -> str:
    endpoint = aws.sagemaker.describe_endpoint(EndpointName=endpoint_name(NAME))
    return str(endpoint["ProductionVariants"][0]["VariantName"])


def ended(run: Run) -> None:
    assert run.await_end(seconds=900) == "success", run.explain()


@pytest.fixture(scope="module")
def two_models(airflow: Any, aws: Any, place: Any) -> dict[str, str]:
    """The training jobs of two models with other labels; the second serves."""
    ended(airflow.ordered_run(DAG_ID, "first", conf={}))
    first = serving(aws)
    write_images(place, "renamed", per_class=COMPARED_PER_CLASS, labels=("black", "white"))
    ended(airflow.ordered_run(DAG_ID, "second", conf={"source": "renamed", "reset_labels": True}))
    return {"first": first, "second": serving(aws)}


def test_the_second_model_has_started_from_the_first(aws, two_models, row):
    jobs = {name: aws.sagemaker.describe_training_job(TrainingJobName=job) for name, job in two_models.items()}
    parents = [one["DataSource"]["S3DataSource"]["S3Uri"] for one in jobs["second"]["InputDataConfig"]
               if one["ChannelName"] == "model"]  # fmt: skip
    row.check_ours(parents == [jobs["first"]["ModelArtifacts"]["S3ModelArtifacts"]], f"channel model: {parents}")


def test_labels_and_model_switch_together_while_images_are_uploaded(airflow, aws, two_models, picture, row):
    conf = {"classifier": NAME, "reason": "it names shades by the wrong words"}
    with Uploads(aws, picture) as uploads:
        until(lambda: len(uploads.names) > 5, seconds=60, what="uploads")
        ended(airflow.ordered_run("image_classifier_roll_back", "back", conf=conf))
        count = len(uploads.names)
        until(lambda: len(uploads.names) > count + 5, seconds=60, what="uploads")
    records = uploads.records()

    labels = {two_models[name]: LABELS[name] for name in two_models}
    wrong = [record for record in records if record["label"] not in labels[record["model"]["training_job"]]]
    by_model = {
        name: sum(record["model"]["training_job"] == job for record in records) for name, job in two_models.items()
    }
    found = f"{len(records)} records, {by_model}; {len(wrong)} with another model's class; serves {serving(aws)}"
    row.check_ours(
        not wrong and min(by_model.values()) > 0 and serving(aws) == two_models["first"],
        found,
    )


def test_no_run_and_no_watch_pass_promotes_the_model_that_was_left(airflow, aws, two_models, picture, row):
    unchanged = airflow.ordered_run(DAG_ID, "unchanged", conf={"source": "renamed"})
    ended(unchanged)
    watched = airflow.ordered_run("image_classifier_watch", "after", conf={})
    watched.await_end()  # one task for each classifier

    uploads = Uploads(aws, picture)
    uploads.upload("afterwards.jpg")
    [record] = uploads.records()
    skipped = unchanged.task("deploy.plan_deployment")["state"]
    trained = record["model"]["training_job"]
    found = f"deploy {skipped}; {trained} answers {record['label']}"
    passed = trained == two_models["first"] and record["label"] in LABELS["first"]
    row.check_ours(passed and skipped == "skipped", found)
