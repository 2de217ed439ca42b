"""Checks that only an approval of this comparison lets a model go live."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tests.unit.image_classifier_airflow.made import DECISION

from image_classifier.classifier import Classifier
from image_classifier.deploy import serving
from image_classifier.promote import approval as questions
from image_classifier.promote import promotion, registry
from image_classifier_airflow.notifications import send
from image_classifier_airflow.steps.approval import ApprovalSteps, answer
from image_classifier_airflow.steps.evaluate_and_promote import EvaluationSteps

BUCKET = "a-bucket"
RUN = SimpleNamespace(start_date=datetime(2026, 11, 28, tzinfo=UTC))
KEY = promotion.decision_key("pets", "new-job", at=RUN.start_date)
DATASET = {"test_manifest_sha256": "0badcafe"}
JOB = {"training_job": "new-job"}
PETS = Classifier(name="pets", source="pets", promotion={"mode": "approval"}, notify={"webhook_conn_id": "ops"})
QUESTION = questions.question_about(DECISION)


@pytest.fixture
def s3(aws):
    return aws.s3


@pytest.fixture
def noted(monkeypatch, s3, bucket):
    """What the registry is told; old-job serves, and the decision and the question are stored."""
    told = []
    monkeypatch.setattr(registry, "find_version", lambda _, job, *, group: {"ModelPackageArn": f"{group}/{job}"})
    monkeypatch.setattr(registry, "set_approval", lambda _, arn, *, status, why: told.append((arn, status, why)))
    promotion.keep_decision(s3, DECISION, bucket=BUCKET, at=RUN.start_date)
    questions.open_question(s3, QUESTION, bucket=BUCKET)
    serve(monkeypatch, "old-job")
    return told


def serve(monkeypatch, job):
    found = serving.Serving(job, "m", "c") if job else None
    monkeypatch.setattr(serving, "serving_model", lambda _, classifier: found)


def steps():
    return ApprovalSteps(PETS, EvaluationSteps(PETS))


def promoted(said, **changed):
    ti = SimpleNamespace(xcom_pull=lambda *, task_ids, key: {("promote.ask", "decision"): KEY}[task_ids, key])
    return steps().promote({**DATASET, **changed.get("dataset", {})}, {**JOB, **changed.get("job", {})}, said, ti)


def stored(s3):
    return promotion.stored_decision(s3, bucket=BUCKET, key=KEY)


def is_open(s3):
    return not questions.open_question(s3, QUESTION, bucket=BUCKET)[1]


def test_an_approval_lets_the_model_go_live_and_is_noted(noted, s3):
    assert promoted(answer(QUESTION, "approved", by="jo")) is True
    assert noted == [("image-classifier-pets/new-job", "Approved", "Approved by jo.")]
    assert (stored(s3).answer.outcome, stored(s3).answer.by) == ("approved", "jo")
    assert not is_open(s3)


def test_marking_the_task_that_asks_a_success_promotes_nothing(noted):
    assert promoted(None) is False
    assert noted == []


def test_a_rejection_holds_until_a_person_says_otherwise(noted, s3):
    assert promoted(answer(QUESTION, "rejected", by="jo")) is False
    [(_, status, why)] = noted
    assert status == "Rejected"
    assert why.startswith(registry.NOT_APPROVED)
    assert stored(s3).answer.outcome == "rejected"


def test_a_rejection_is_noted_although_another_model_serves_by_now(noted, monkeypatch):
    serve(monkeypatch, "third-job")

    assert promoted(answer(QUESTION, "rejected", by="jo")) is False
    assert [status for _, status, _ in noted] == ["Rejected"]


def test_what_the_rule_refused_is_noted_by_the_comparison_alone(noted, s3):
    assert promoted(answer(QUESTION, "refused")) is False
    assert (noted, stored(s3).answer) == ([], None)


def test_no_answer_in_time_is_a_no_that_the_next_run_asks_about_again(noted, s3):
    assert promoted(answer(QUESTION, "timed_out")) is False
    [(_, status, why)] = noted
    assert status == "Rejected"
    assert not why.startswith((registry.NOT_APPROVED, registry.LEFT))
    assert not is_open(s3)


def test_a_question_that_was_withdrawn_continues_with_its_time_limit(noted, s3):
    assert promoted(answer(QUESTION, "withdrawn")) is False
    assert noted == []
    assert is_open(s3)


def test_a_model_that_serves_already_stays(noted):
    assert promoted(answer(QUESTION, "serves")) is True


@pytest.mark.parametrize(
    "changed", [{"job": {"training_job": "another"}}, {"dataset": {"test_manifest_sha256": "another"}}]
)
def test_an_approval_of_another_comparison_promotes_nothing(noted, changed):
    assert promoted(answer(QUESTION, "approved", by="jo"), **changed) is False
    assert noted == []


@pytest.mark.parametrize("job", ["third-job", None])
def test_an_approval_is_of_no_use_once_another_model_serves(noted, monkeypatch, job):
    serve(monkeypatch, job)

    assert promoted(answer(QUESTION, "approved", by="jo")) is False
    assert noted == []


def test_a_retry_after_the_deployment_still_continues(noted, monkeypatch):
    serve(monkeypatch, "new-job")

    assert promoted(answer(QUESTION, "approved", by="jo")) is True


def test_a_comparison_leaves_the_key_of_its_record_for_the_answer():
    evaluation = EvaluationSteps(PETS)
    evaluation.plan_evaluation = lambda dataset, job, params: {}
    evaluation.write_report = lambda *_: {"page": "s3://a-bucket/report.html"}
    evaluation.compare = lambda *_: (DECISION, KEY)
    pushed = {}
    ti = SimpleNamespace(xcom_push=lambda *, key, value: pushed.update({key: value}))
    inputs = {"dataset": DATASET, "job": JOB, "training": {}}

    found = ApprovalSteps(PETS, evaluation).compare(inputs, params={}, dag_run=RUN, ti=ti)

    assert found == (DECISION, "s3://a-bucket/report.html")
    assert pushed == {"decision": KEY}


def test_a_message_says_what_is_asked_until_when_and_where(noted, monkeypatch):
    sent = []
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/below")
    monkeypatch.setattr(send, "send", lambda message, *, classifier: sent.append(message))

    ti = SimpleNamespace(dag_id="pets_train_and_deploy", run_id="manual__1", task_id="promote.ask")
    steps().notify(QUESTION, DECISION, ti=ti)

    [message] = sent
    assert (message.event, message.task_id) == ("approval_wanted", "promote.ask")
    assert f"{QUESTION.until:%Y-%m-%d %H:%M}" in message.sentence
    assert message.url == (
        "https://airflow.example.com/below/dags/pets_train_and_deploy/runs/manual__1/tasks/promote.ask/required_actions"
    )
