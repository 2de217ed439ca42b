"""Checks that only a model that passes the rule and is approved goes live; every other run succeeds without a change.

The tests build on each other, in the order of the file: a first model serves after the first one.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from tests.chaos.airflow_runs import Run, now, until
from tests.chaos.classifiers import COMPARED_PER_CLASS, write_images

from image_classifier.aws.names import endpoint_name, function_name, model_package_group_name
from image_classifier.contracts.corrections import Correction
from image_classifier.evaluate.live_accuracy import LEAST_ANSWERS

pytestmark = pytest.mark.timeout(1200)

DAG_ID, NAME = "compared_train_and_deploy", "compared"
ASK = "promote.ask"


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
    """A run that waits for a person."""
    run: Run = airflow.ordered_run(DAG_ID, run_id, conf=conf)
    run.await_question(ASK)
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


def test_a_person_is_notified_that_an_answer_is_awaited(inbox, row):
    [message] = [one for one in inbox.about(NAME, event="approval_wanted") if one["run_id"] == "first"]

    row.check_ours(message["url"].endswith(f"/tasks/{ASK}/required_actions"), message["sentence"])


def test_data_set_model_and_endpoint_have_events_with_their_figures(airflow, aws, row):
    events, served = airflow.asset_events(DAG_ID, "first"), live(aws)

    dataset, model, endpoint = (events[f"image-classifier/{NAME}/{kind}"] for kind in ("dataset", "model", "endpoint"))
    passed = (
        dataset["num_test_samples"] == 2 * COMPARED_PER_CLASS["test"]
        and model["version"] == endpoint["training_job"] == served.training_job
        and model["verdict"] == "promote"
        and 0 < model["value"] <= 1
        and endpoint["version"] == served.endpoint_config
    )
    row.check_ours(passed, f"{dataset}; {model}; {endpoint}")


def test_another_dag_follows_the_model(airflow, aws, row):
    [run] = until(lambda: airflow.runs("follows_compared"), seconds=120, what="a run of the Dag that follows")

    state = run.await_end(seconds=300)

    [extra] = airflow.result(run.dag_id, run.run_id, "said")
    row.check_ours(state == "success" and extra["version"] == live(aws).training_job, f"run {state}: {extra}")


def refused(airflow, aws, row, run: Run, *, before: Live, outcome: str) -> None:
    state, decision = ended(run), decision_of(aws, run)
    status = approval_status(aws, decision["candidate"])
    answer = decision["answer"] or {"outcome": None}
    found = f"run {state}; answer {answer}; the candidate is {status}; serves {live(aws).training_job}"
    passed = state == "success" and answer["outcome"] == outcome and status == "Rejected" and live(aws) == before
    row.check_ours(passed and skipped(run), found)


def test_a_newer_candidate_withdraws_the_older_question(airflow, aws, row):
    before = live(aws)
    older = asked(airflow, "older", epochs=14)

    airflow.ordered_run(DAG_ID, "rejected", conf={"epochs": 11})

    state, answer = ended(older), airflow.result(DAG_ID, "older", ASK)
    row.check_ours(
        state == "success" and answer["outcome"] == "withdrawn" and live(aws) == before and skipped(older),
        f"run {state}; {answer['outcome']}; serves {live(aws).training_job}",
    )


def test_a_rejection_changes_nothing(airflow, aws, row):
    before = live(aws)
    run = Run(airflow, DAG_ID, "rejected")
    run.await_question(ASK)

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
    write_images(place, "compared", per_class=COMPARED_PER_CLASS, exchanged=("train", "validation"))

    run = airflow.ordered_run(DAG_ID, "exchanged", conf={})

    state, decision = ended(run), decision_of(aws, run)
    figures = decision["comparison"] or {}
    passed = (
        state == "success"
        and decision["verdict"] == "refuse"
        and decision["basis"] == "comparison"
        and figures["images"] == 2 * COMPARED_PER_CLASS["test"]
        and figures["mid_p"] < 0.05
    )
    row.check_ours(passed and live(aws) == before and skipped(run), f"run {state}; {decision['summary']}")
    until(lambda: approval_status(aws, decision["candidate"]) == "Rejected", seconds=10, what="its rejection")


def test_a_blind_accuracy_below_the_floor_is_notified(airflow, aws, inbox, row):
    job, labels = live(aws).training_job, live(aws).labels
    for number in range(LEAST_ANSWERS + 10):
        key, at = f"{NAME}/incoming/blind-{number}.jpg", now().isoformat()
        said = Correction(key, None, "0" * 64, "label", labels[0], labels[1], job, "random", "jo", at)
        aws.s3.put_object(Bucket=aws.bucket, Key=f"{NAME}/corrections/blind-{number}.jpg.json", Body=said.as_json())

    airflow.ordered_run("image_classifier_watch", "sampled", conf={})

    sentence = f"The model {job} is right on 0 of {LEAST_ANSWERS + 10} images of the blind random sample"

    def told() -> list[str]:
        sentences = (one["sentence"] for one in inbox.about(NAME, event="watch_finding"))
        return [one for one in sentences if sentence in one]

    [found] = until(told, seconds=600, what="the message")
    row.check_ours("below the floor of 30.0%" in found, found)
