"""Checks that only a model that passes the rule and is approved goes live; every other run succeeds without a change.

The tests build on each other, in the order of the file: a first model serves after the first one.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.chaos.airflow_runs import Run, now, until
from tests.chaos.classifiers import JUDGED_PER_CLASS, write_images

from image_classifier.aws.names import endpoint_name, function_name, model_package_group_name

pytestmark = pytest.mark.timeout(1200)

DAG_ID, NAME = "judged_train_and_deploy", "judged"
ASK = "promote.ask"
READING = timedelta(seconds=10)


@dataclass(frozen=True)
class Live:
    """What answers uploads."""

    training_job: str
    endpoint_config: str
    function_sha256: str
    labels: tuple[str, ...]


def live(aws) -> Live:
    endpoint = aws.sagemaker.describe_endpoint(EndpointName=endpoint_name(NAME))
    job = endpoint["ProductionVariants"][0]["VariantName"]
    function = getattr(aws, "lambda").get_function(FunctionName=function_name(NAME), Qualifier="live")["Configuration"]
    model = read(aws, f"{NAME}/models/{job}/model.json")
    return Live(job, endpoint["EndpointConfigName"], function["CodeSha256"], tuple(model["labels"]))


def read(aws, key: str) -> Any:
    return json.loads(aws.s3.get_object(Bucket=aws.bucket, Key=key)["Body"].read())


def decision_of(aws, run: Run) -> Any:
    """The run's decision: the newest."""
    listed = aws.s3.list_objects_v2(Bucket=aws.bucket, Prefix=f"{NAME}/promotions/")["Contents"]
    return read(aws, max(listed, key=lambda found: found["Key"])["Key"])


def approval_status(aws, job: str) -> str:
    versions = aws.sagemaker.list_model_packages(ModelPackageGroupName=model_package_group_name(NAME))
    by_job = {one["ModelPackageDescription"]: one["ModelApprovalStatus"] for one in versions["ModelPackageSummaryList"]}
    return str(by_job[job])


def asked(airflow, run_id: str, **conf: Any) -> Run:
    """A run that waits for a person, and has for as long as a person needs; see the README about faster ones."""
    run = airflow.ordered_run(DAG_ID, run_id, conf=conf)
    run.await_task(ASK, ["awaiting_input"], seconds=900)
    since = now()
    until(lambda: now() - since > READING, seconds=60, what="a person reading the question")
    return run


def ended(run: Run) -> str:
    return run.await_end(seconds=900)


def skipped(run: Run) -> bool:
    return run.task("deploy.plan_deployment")["state"] == "skipped"


def test_approval_by_the_rest_api_promotes(airflow, aws, row):
    run = asked(airflow, "first")
    question = airflow.question(DAG_ID, "first", ASK)

    airflow.answer(DAG_ID, "first", ASK, option="Approve")

    state, decision = ended(run), decision_of(aws, run)
    served = live(aws).training_job
    found = f"run {state}; {question['subject']} answer {decision['answer']}; serves {served}"
    row.check_ours(
        state == "success"
        and decision["answer"]["outcome"] == "approved"
        and served == decision["candidate"]
        and served in question["subject"]
        and approval_status(aws, served) == "Approved",
        found,
    )


def refused(airflow, aws, row, run: Run, *, before: Live, outcome: str) -> None:
    state, decision = ended(run), decision_of(aws, run)
    status = approval_status(aws, decision["candidate"])
    answer = decision["answer"] or {"outcome": None}
    found = f"run {state}; answer {answer}; the candidate is {status}; serves {live(aws).training_job}"
    passed = state == "success" and answer["outcome"] == outcome and status == "Rejected" and live(aws) == before
    row.check_ours(passed and skipped(run), found)


def test_a_rejection_changes_nothing(airflow, aws, row):
    before = live(aws)
    run = asked(airflow, "rejected", epochs=11)

    airflow.answer(DAG_ID, "rejected", ASK, option="Reject")

    refused(airflow, aws, row, run, before=before, outcome="rejected")


def test_a_rejected_model_is_not_asked_about_again(airflow, aws, row):
    before = live(aws)
    run = airflow.ordered_run(DAG_ID, "again", conf={"epochs": 11})

    state = ended(run)

    asks = run.task(ASK)["state"]
    row.check_ours(state == "success" and asks == "skipped" and live(aws) == before, f"run {state}, {ASK} {asks}")


def test_no_answer_in_time_changes_nothing(airflow, aws, row):
    before = live(aws)

    run = asked(airflow, "silent", epochs=12)

    refused(airflow, aws, row, run, before=before, outcome="timed_out")


def test_marking_the_question_a_success_changes_nothing(airflow, aws, row):
    before = live(aws)
    run = asked(airflow, "marked", epochs=13)

    run.mark(ASK, state="success")

    state = ended(run)
    row.check_ours(
        state == "success" and live(aws) == before and skipped(run), f"run {state}; {live(aws).training_job}"
    )


def test_a_model_of_exchanged_labels_is_refused_with_its_numbers(airflow, aws, place, row):
    before = live(aws)
    write_images(place, "judged", per_class=JUDGED_PER_CLASS, exchanged=("train", "validation"))

    run = airflow.ordered_run(DAG_ID, "exchanged", conf={})

    state, decision = ended(run), decision_of(aws, run)
    figures = decision["comparison"] or {}
    passed = (
        state == "success"
        and decision["verdict"] == "refuse"
        and decision["basis"] == "comparison"
        and figures["images"] == 2 * JUDGED_PER_CLASS["test"]
        and figures["mid_p"] < 0.05
    )
    row.check_ours(passed and live(aws) == before and skipped(run), f"run {state}; {decision['summary']}")
    until(lambda: approval_status(aws, decision["candidate"]) == "Rejected", seconds=10, what="its rejection")
