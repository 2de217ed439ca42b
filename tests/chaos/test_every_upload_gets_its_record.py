"""Every upload gets its one right record, whatever happens to events, functions, the endpoint and the trigger.

UPLOADS is the number of images of each scenario, 5,000 by default.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.chaos.airflow_runs import until
from tests.chaos.classifiers import write_classifier, write_images
from tests.chaos.event_faults import killed_functions, overwrite_notifications, plan, shorten_visibility
from tests.chaos.event_trial import EventTrial, pictures
from tests.chaos.uploads import Uploads

from image_classifier.connect.upload_queue import VISIBILITY_S, queue_name

pytestmark = pytest.mark.timeout(2400)

NUMBER = int(os.environ.get("UPLOADS", "5000"))
SPREAD_S = 120.0  # the uploads of a scenario, without the time that they wait for others
NAME, DAG_ID = "uploads", "uploads_train_and_deploy"
CLASSIFIERS = (NAME,)  # the watch Dag's passes take long enough
FOLDERS = ("direct", "switching", "queue")


@pytest.fixture(scope="module")
def trial(airflow: Any, aws: Any, place: Any, first_run: Any) -> EventTrial:
    """A classifier with two models of other labels; the second serves."""
    first_run(NAME)
    trial = EventTrial(aws, airflow, classifier=NAME, pictures=pictures())
    trial.learn_answers()
    write_images(place, "renamed", labels=("black", "white"))
    trial.ended(trial.run(DAG_ID, source="renamed", reset_labels=True))
    trial.second = trial.learn_answers()
    return trial


@pytest.fixture
def disturbed(aws: Any, place: Any, faults: Callable[..., None], trial: EventTrial) -> Any:
    """Uploads to a folder while the endpoint fails, events are lost and function processes are killed."""

    @contextmanager
    def begin(folder: str) -> Iterator[Uploads]:
        faults(*plan(NAME))
        prefix = f"{trial.keys.incoming}{folder}/"
        uploads = Uploads(aws, prefix=prefix, number=NUMBER, seconds=SPREAD_S, pictures=trial.pictures)
        with killed_functions(place.aws_state) as killed, uploads:
            yield uploads
        assert killed, "no function process was killed"

    return begin


def check(trial: EventTrial, folder: str, uploads: Uploads, row: Any) -> None:
    """Every image has its one right record, and nothing is left to report."""
    compared, findings, passes = trial.bring_up(folder)
    summary = f"{compared.summary(uploads)}; {passes} passes of the watch Dag"
    problems = [*compared.wrong[:3], *findings.values()]
    passed = len(compared.records) == compared.images == NUMBER and not problems
    row.check_ours(passed, "; ".join([summary, *problems]))


def disturb(trial: EventTrial, services: Any, aws: Any, uploads: Uploads) -> None:
    """Delete the notifications, let the watch Dag restore them, and kill the local AWS, while images are uploaded."""
    uploads.reach(0.4)
    overwrite_notifications(aws)
    uploads.allow(0.5)
    trial.watch()
    uploads.allow(1.0)
    uploads.reach(0.7)
    services.restart_local_aws()


def test_uploads_with_the_direct_trigger(trial, services, aws, disturbed, row):
    with disturbed("direct") as uploads:
        uploads.reach(0.1)
        uploads.allow(0.3)
        trial.roll_back()
        disturb(trial, services, aws, uploads)
    check(trial, "direct", uploads, row)


def test_uploads_while_the_trigger_is_switched_to_a_queue(trial, place, services, aws, disturbed, row):
    write_classifier(place, NAME, trigger="queue")
    with disturbed("switching") as uploads:
        uploads.reach(0.1)
        switch = trial.run(DAG_ID, source="renamed", promote_version=trial.second)
        uploads.allow(0.3)
        trial.ended(switch)
        shorten_visibility(aws, queue_name(NAME))
        disturb(trial, services, aws, uploads)
    check(trial, "switching", uploads, row)


def test_uploads_with_the_queue_trigger(trial, services, aws, disturbed, row):
    with disturbed("queue") as uploads:
        uploads.reach(0.1)
        uploads.allow(0.3)
        trial.roll_back()
        shorten_visibility(aws, queue_name(NAME))
        disturb(trial, services, aws, uploads)
    check(trial, "queue", uploads, row)


def test_the_pages_show_each_image_once_and_as_its_record_says(trial, row):
    """A function that was killed after it wrote the record writes the log entry when its message comes again."""
    compared = [trial.compare(folder) for folder in FOLDERS]
    until(lambda: not trial.differing_rows(compared), seconds=VISIBILITY_S + 60, what="the pages showing each record")
    rows = sum(len(one.records) for one in compared)
    row.check_ours(rows == NUMBER * len(FOLDERS), f"{rows} images are shown once, as their records say")


def test_images_are_classified_again_by_a_transform_job(trial, aws, row):
    """The model that serves answers for the first images of the first scenario, in a job of its own."""
    prefix = f"{FOLDERS[0]}/000"
    conf = {"classifier": NAME, "prefix": prefix, "again": True, "transform_above": 1, "tasks": 2}
    run = trial.run("image_classifier_classify_existing", **conf)
    trial.ended(run)
    compared = trial.compare(prefix)
    others = {record["model"]["training_job"] for record in compared.records if record["model"]} - {trial.serving}
    again = sum(record["generation"] > 0 for record in compared.records)
    job = run.api.result(run.dag_id, run.run_id, "transform")
    wrong = len(compared.wrong)
    found = f"{again} of {compared.images} records are of {job}, {wrong} wrong, {len(others)} other models"
    row.check_ours(again == compared.images == len(compared.records) and not wrong and not others, found)
