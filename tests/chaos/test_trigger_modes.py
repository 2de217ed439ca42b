"""Checks that a changed trigger loses no upload: direct, queue, paused and direct again, without training."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.chaos.airflow_runs import Run
from tests.chaos.classifiers import write_classifier
from tests.chaos.event_trial import WATCH, EventTrial, pictures
from tests.chaos.uploads import Uploads

from image_classifier.gallery.overview import overview

pytestmark = pytest.mark.timeout(1200)

NAME, DAG_ID = "modes", "modes_train_and_deploy"
CLASSIFIERS = (NAME,)
CANARY = "canary_s: 600\n"
NUMBER, SPREAD_S = 40, 20.0  # uploads of each change, and their time without that of the run
FORGOTTEN = 1  # the upload whose event is lost
UNTIL_THE_END = 0.75  # the share of the uploads that are done before the run has ended


@pytest.fixture(scope="module")
def trial(airflow: Any, aws: Any, first_run: Any) -> EventTrial:
    """A deployed classifier with the trigger `direct`."""
    first_run(NAME)
    trial = EventTrial(aws, airflow, classifier=NAME, pictures=pictures())
    trial.learn_answers()
    return trial


@pytest.fixture
def changed(trial: EventTrial, airflow: Any, aws: Any, place: Any) -> Any:
    """Change the trigger by a run, while images are uploaded to the folder of its name: before, during and after."""

    def change(mode: str, *, folder: str) -> tuple[Uploads, Run]:
        write_classifier(place, NAME, trigger=mode, promotion=CANARY)
        airflow.parse_again(DAG_ID)
        prefix = f"{trial.keys.incoming}{folder}/"
        with Uploads(aws, prefix=prefix, number=NUMBER, seconds=SPREAD_S, pictures=trial.pictures) as uploads:
            uploads.reach(0.25)
            run = trial.run(DAG_ID)
            uploads.allow(UNTIL_THE_END)
            trial.ended(run)
        return uploads, run

    return change


def check(trial: EventTrial, folder: str, row: Any, *, run: Run) -> None:
    """Each image has one current record, is shown once, and the run trained nothing."""
    compared, findings, passes = trial.bring_up(folder)
    differing = trial.differing_rows([compared])
    job = run.api.result(DAG_ID, run.run_id, "train.train_model")
    problems = [*compared.wrong, *findings.values(), *differing]
    found = f"{len(compared.records)} of {NUMBER} records after {passes} passes, {compared.replayed} by replay"
    passed = len(compared.records) == compared.images == NUMBER and not problems and job["outcome"] == "reused"
    row.check_ours(passed, "; ".join([found, f"the model is {job['outcome']}", *problems[:3]]))


def test_a_run_with_a_waiting_image_is_red(trial, airflow, aws, services, faults, row):
    """Its event was lost an hour ago; the watch Dag, which classifies it, has no run meanwhile.

    This is before the pause: for ten minutes after one, no image counts as waiting.
    """
    key = f"{trial.keys.incoming}forgotten/0.png"
    faults({"fault": "s3_event", "do": "lose", "where": {"Key": key}})
    aws.s3.put_object(Bucket=aws.bucket, Key=key, Body=trial.pictures[0])
    with airflow.paused(WATCH):
        services.restart_local_aws(meanwhile=lambda: services.backdate(key, by=timedelta(hours=1)))
        red = trial.run(DAG_ID)
        state, report = red.await_end(seconds=900), red.task("report")["state"]
    is_named = key in red.log("report")
    trial.watch(grace_s=0)
    trial.await_records("forgotten")
    green = trial.run(DAG_ID).await_end(seconds=900)

    found = f"the run is {state}, its report {report}, the image {'' if is_named else 'not '}named; then {green}"
    row.check_ours((state, report, is_named, green) == ("failed", "failed", True, "success"), found)


def test_a_change_to_a_queue_loses_no_upload(trial, changed, row):
    _, run = changed("queue", folder="to-queue")

    check(trial, "to-queue", row, run=run)


def test_a_paused_trigger_leaves_uploads_waiting_and_its_run_is_green(trial, changed, row):
    uploads, run = changed("paused", folder="to-paused")
    trial.await_records("to-paused")
    findings = trial.watch(grace_s=0)
    trial.await_records("to-paused")

    records = trial.listed(f"{trial.keys.predictions}to-paused/")
    after = set(uploads.names) - uploads.names_until(UNTIL_THE_END)
    classified = [name for name in after if f"{trial.keys.predictions}to-paused/{name}.json" in records]
    skipped = {task["task_id"] for task in run.api.tasks(DAG_ID, run.run_id) if task["state"] != "success"}
    found = f"{len(records)} of {NUMBER} records, {len(classified)} of the {len(after)} uploads after the run"
    row.check_ours(not (classified or findings), "; ".join([found, *findings.values(), f"without success: {skipped}"]))


def test_uploads_of_a_pause_are_classified_after_it(trial, changed, row):
    uploads, run = changed("direct", folder="to-direct")
    check(trial, "to-direct", row, run=run)

    waited = trial.compare("to-paused")
    waiting = run.api.result(DAG_ID, run.run_id, "report")["waiting"]
    found = f"{row.ours}; {len(waited.records)} of {NUMBER} of the pause; the run reports {waiting} images waiting"
    is_complete = len(waited.records) == waited.images == NUMBER and not waited.wrong
    images = FORGOTTEN + 2 * NUMBER + len(uploads.names_until(UNTIL_THE_END))
    row.check_ours(is_complete and waiting == f"0 of {images}", found)


def test_the_canary_is_measured_and_in_no_statistic(trial, row):
    """Each pass has uploaded one; the images of the runs' checks are left out in the same way, also of the report."""
    trial.await_records(".check")
    trial.watch()
    state = json.loads(trial.read(trial.keys.watch_state))
    total = overview(list(trial.shown().values())).total
    indexed = b"".join(trial.indexed()).decode()
    uploads = FORGOTTEN + 3 * NUMBER

    found = f"its record after {state['canary']['took_s']} s; {total} of {uploads} uploads are counted"
    is_left_out = total == uploads and indexed and "/.check/" not in indexed
    row.check_ours(bool(state["canary"]["took_s"]) and bool(is_left_out), found)
