"""Checks that the first task plans and may end the run, and that the last one reports the cost."""

from types import SimpleNamespace

import boto3
import pytest

from image_classifier.classifier import Classifier
from image_classifier.classify_existing.waiting import Waiting
from image_classifier.contracts.errors import BudgetError, WatchFindingsError
from image_classifier.plan.jobs_of_run import JobsCost
from image_classifier.plan.plan import Cost, Line, Plan
from image_classifier.plan.prices import PriceBook, Quoted
from image_classifier_airflow.operators.step import GateOperator
from image_classifier_airflow.steps import clients, gate
from image_classifier_airflow.steps.train_and_deploy import Steps

CATS = Classifier(name="cats", source="cats")
SAGEMAKER = boto3.Session("testing", "testing", region_name="us-east-1").client("sagemaker")
RUN = SimpleNamespace(dag_id="cats_train_and_deploy", run_id="run-1", run_after="a time")
PLAN = Plan("cats", (Line("training job", "job-1", "started", Cost(1.5, words="1.50 USD")),))
JOB = {
    "training_job": "job-1",
    "outcome": "started",
    "best_validation_accuracy": 0.9,
    "billable_s": 3600,
    "instance_type": "ml.g5.xlarge",
}


class Task:
    """What a task instance keeps as XComs."""

    dag_id = "cats_train_and_deploy"

    def __init__(self):
        self.xcoms = {}

    def xcom_push(self, key, value):
        self.xcoms[key] = value


@pytest.fixture(autouse=True)
def deployment(monkeypatch, bucket):
    monkeypatch.setattr(clients, "of_a_classifier", lambda _: "clients")
    monkeypatch.setattr(clients, "sagemaker", lambda _: SAGEMAKER)
    package_of = "image_classifier.connect.function_package.package_of"
    monkeypatch.setattr(package_of, lambda _: SimpleNamespace(code_sha256="code"))
    day, page = "2026-01-01", "https://example.org/"
    rows = [
        {"instance_type": "ml.g5.xlarge", "use": "training", "usd_per_hour": 1.5},
        {"instance_type": "ml.m5.large", "use": "hosting", "usd_per_hour": 0.1},
        {"instance_type": "ml.m5.large", "use": "processing", "usd_per_hour": 0.3},
    ]
    table = [Quoted.model_validate({**row, "region": "us-east-1", "as_of": day, "source": page}) for row in rows]
    monkeypatch.setattr(clients, "prices", lambda _: PriceBook("us-east-1", None, table))
    monkeypatch.setattr(clients, "s3", lambda _: "s3")
    waits(monkeypatch, Waiting(0, 12))
    monkeypatch.setattr("image_classifier.plan.jobs_of_run.cost_of_jobs", lambda *_, **__: None)


def waits(monkeypatch, waiting):
    monkeypatch.setattr("image_classifier.classify_existing.waiting.waiting_images", lambda *_, **__: waiting)
    monkeypatch.setattr("image_classifier.connect.deployment.deployment_before", lambda *_, **__: None)


@pytest.fixture
def planned(monkeypatch):
    """The classifier and options of every plan that was made."""
    asked = []

    def build_plan(classifier, *, options, **_):
        asked.append((classifier, options))
        return PLAN

    monkeypatch.setattr("image_classifier.plan.build.build_plan", build_plan)
    return asked


def plan(classifier=CATS, **params):
    task = Task()
    return Steps(classifier).plan(params, "run-1", task), task.xcoms


def test_an_ordinary_run_continues_and_looks_at_nothing(planned):
    assert plan(plan=False) == (True, {})
    assert planned == []


def test_a_run_that_is_only_planned_ends_with_the_plan_as_xcom(planned):
    goes_on, xcoms = plan(plan=True)

    assert goes_on is False
    assert xcoms == {"plan": PLAN.as_json()}


def test_the_plan_is_of_what_the_run_asks_for(planned):
    plan(plan=True, reset_labels=True, force_retrain=True, time_limit_s=600)

    ((classifier, options),) = planned
    assert classifier.training.time_limit_s == 600
    assert (options.code_sha256, options.reset_labels) == ("code", True)
    assert options.only_of_run == ("cats_train_and_deploy", "run-1")


def test_a_run_within_its_budget_continues(planned):
    assert plan(max_cost_usd=2.0)[0] is True


def test_a_dearer_run_is_refused_before_it_pays_and_leaves_its_plan(planned):
    task = Task()

    with pytest.raises(BudgetError, match=r"may cost 1\.50 US dollars"):
        Steps(CATS).plan({"max_cost_usd": 1.0}, "run-1", task)

    assert task.xcoms == {"plan": PLAN.as_json()}


def test_the_budget_may_stand_in_the_file(planned):
    with pytest.raises(BudgetError):
        plan(CATS.revised({"max_cost_usd": 1.0}))


def test_a_plan_is_shown_even_if_it_is_too_dear(planned):
    assert plan(plan=True, max_cost_usd=1.0)[0] is False


def test_a_gate_skips_every_later_task():
    task = gate(Steps(CATS).plan)().operator

    assert task.task_id == "plan"
    assert isinstance(task, GateOperator)


def test_the_report_prices_the_machine_that_trained():
    report = Steps(CATS).report(JOB, {}, {}, RUN)

    assert (report["training_usd"], report["endpoint_usd_per_day"]) == (1.5, 2.4)
    assert (report["training_job"], report["outcome"]) == ("job-1", "started")
    assert report["endpoint"] == "image-classifier-cats"


def test_the_report_prices_every_machine_of_the_endpoint():
    twice = CATS.revised({"endpoint": {"instance_count": 2}})

    assert Steps(twice).report(JOB, {}, {}, RUN)["endpoint_usd_per_day"] == 4.8


def test_the_report_prices_the_processing_and_transform_jobs_of_the_run(monkeypatch):
    def cost_of_jobs(sagemaker, jobs, *, classifier, of_run, since, price):
        assert (sagemaker, classifier) == (SAGEMAKER, "cats")
        assert (of_run, since) == (("cats_train_and_deploy", "run-1"), "a time")
        return JobsCost(price("ml.m5.large").usd_per_hour, jobs.kind.words)

    monkeypatch.setattr("image_classifier.plan.jobs_of_run.cost_of_jobs", cost_of_jobs)

    report = Steps(CATS).report(JOB, {}, {}, RUN)

    assert (report["preparation"], report["preparation_usd"]) == ("processing job", 0.3)
    assert (report["scoring"], report["scoring_usd"]) == ("transform job", 0.1)


def test_the_report_says_how_many_images_wait():
    assert Steps(CATS).report(JOB, {}, {}, RUN)["waiting"] == "0 of 12"


def test_a_run_with_waiting_images_fails_at_its_end(monkeypatch):
    waits(monkeypatch, Waiting(2, 12, ("cats/incoming/a.png", "cats/incoming/b.png")))

    with pytest.raises(WatchFindingsError, match=r"2 images of cats .* such as cats/incoming/a.png, .*_watch"):
        Steps(CATS).report(JOB, {}, {}, RUN)
    paused = CATS.revised({"trigger": "paused"})  # they wait because the file says so
    assert Steps(paused).report(JOB, {}, {}, RUN)["waiting"] == "2 of 12"


def test_a_report_without_a_price_says_so():
    report = Steps(CATS).report({**JOB, "instance_type": "ml.p3.2xlarge"}, {}, {}, RUN)

    assert report["training_usd"] is None
    assert "prices.yaml has none for training in us-east-1" in report["training_price"]
