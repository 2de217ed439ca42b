"""Checks that the cost of a run is computed from what AWS bills, and is unknown otherwise."""

import json

import pytest

from image_classifier.plan.jobs_of_run import JobsCost
from image_classifier.plan.prices import Price
from image_classifier.plan.run_report import report_of

JOB = {"training_job": "job-1", "outcome": "started", "best_validation_accuracy": 0.9876, "billable_s": 540}
KNOWN = Price(0.8, "the Price List, of 2026-09-25")
EVALUATED = {
    "accuracy": {"value": 0.95, "low": 0.935, "high": 0.962, "right": 950, "of": 1000},
    "page": "s3://pictures/cats/evaluations/job-1/0badcafe/report.html",
}
UNKNOWN = Price(None, "nobody says")


def report(*, training=KNOWN, hosting=KNOWN, evaluated=EVALUATED, **job):
    return report_of(
        {**JOB, **job}, endpoint="cats", training=training, hosting=hosting, instance_count=2, evaluated=evaluated
    )


def test_a_job_costs_its_billable_seconds():
    assert report().training_usd == pytest.approx(540 / 3600 * 0.8)


def test_an_endpoint_costs_its_machines_day_by_day():
    assert report().endpoint_usd_per_day == pytest.approx(0.8 * 2 * 24)


def test_a_model_that_tuning_chose_cost_all_jobs_of_the_search():
    search = {"tuning_job": "search-1", "jobs": 3, "billable_s": 2160}

    found = report(tuning=search)

    assert found.training_usd == pytest.approx(2160 / 3600 * 0.8)
    assert "tuning job           search-1, 3 training jobs in this run" in found.as_table()
    assert report(tuning={**search, "jobs": 0, "billable_s": 0}).training_usd == 0


def test_a_search_is_paid_for_although_the_chosen_job_was_there_before():
    search = {"tuning_job": "search-1", "jobs": 3, "billable_s": 2160}

    assert report(tuning=search, outcome="reused").training_usd == pytest.approx(2160 / 3600 * 0.8)
    assert report(tuning={**search, "billable_s": 0}, outcome="started", training=UNKNOWN).training_usd == 0


def test_a_reused_job_is_not_paid_again():
    reused = report(outcome="reused", training=UNKNOWN)

    assert reused.training_usd == 0
    assert "an earlier run paid for the job" in reused.as_table()


@pytest.mark.parametrize("changes", [{"training": UNKNOWN}, {"billable_s": None}])
def test_what_is_not_known_stays_unknown(changes):
    assert report(**changes).training_usd is None


def test_the_table_tells_everything_a_person_asks_for():
    assert report().as_table().splitlines() == [
        "training job         job-1, started",
        "test accuracy        95.0% of 1,000 images (93.5% to 96.2% with 95% confidence)",
        "validation accuracy  0.988",
        "billable seconds     540",
        "training cost        0.12 US dollars (the Price List, of 2026-09-25)",
        "endpoint             cats",
        "endpoint cost a day  38.40 US dollars (the Price List, of 2026-09-25)",
        "evaluation           s3://pictures/cats/evaluations/job-1/0badcafe/report.html",
    ]


def test_the_table_says_what_is_unknown():
    table = report(
        training=UNKNOWN, hosting=UNKNOWN, billable_s=None, best_validation_accuracy=None, evaluated={}
    ).as_table()

    assert table.count("unknown") == 5
    assert "training cost        price unknown: nobody says" in table


def test_processing_and_transform_jobs_have_cost_lines_of_their_own():
    costs = {"preparation": JobsCost(0.5, "1 processing job"), "scoring": JobsCost(None, "2 transform jobs")}

    found = report_of(
        JOB, endpoint="cats", training=KNOWN, hosting=KNOWN, instance_count=2, evaluated=EVALUATED, **costs
    )

    assert [line for line in found.as_table().splitlines() if " cost  " in line] == [
        "preparation cost     0.50 US dollars (1 processing job)",
        "training cost        0.12 US dollars (the Price List, of 2026-09-25)",
        "scoring cost         price unknown: 2 transform jobs",
    ]
    assert (found.as_json()["preparation_usd"], found.as_json()["scoring_usd"]) == (0.5, None)


@pytest.mark.parametrize(("savings", "told"), [(0.614, "61%"), (0.0, "0%")])
def test_savings_of_managed_spot_are_reported(savings, told):
    assert report(spot_savings=savings).as_table().splitlines()[-1] == f"saved by managed spot  {told}"


def test_an_accuracy_of_zero_is_no_unknown_accuracy():
    assert "validation accuracy  0.000" in report(best_validation_accuracy=0.0).as_table().splitlines()


def test_the_report_goes_through_json():
    assert json.loads(json.dumps(report().as_json()))["training_job"] == "job-1"
