"""Checks a plan's sum, and that a run is refused if it may cost more than is allowed."""

import json

import pytest

from image_classifier.contracts.errors import BudgetError
from image_classifier.plan.plan import Cost, Line, Plan, check_budget

JOB = Line("training job", "job-1", "started", Cost(1.5, words="1.50 USD: 1 x ml.g4dn.xlarge"))
ENDPOINT = Line("endpoint", "cats", "created", Cost(hourly_usd=0.1, words="0.100 USD an hour"))
UNKNOWN = Line("endpoint", "cats", "created", Cost(hourly_usd=None, words="unknown: no price"))


def plan(*lines):
    return Plan("cats", lines)


def test_the_run_s_cost_is_the_job_s_and_the_endpoint_s_first_day():
    assert plan(JOB, ENDPOINT).first_day_usd == pytest.approx(1.5 + 24 * 0.1)


def test_what_is_there_already_is_paid_without_the_run():
    unchanged = Line("endpoint", "cats", "unchanged", ENDPOINT.cost)

    assert plan(JOB, unchanged).first_day_usd == 1.5


def test_one_unknown_price_makes_the_whole_unknown():
    assert plan(JOB, UNKNOWN).first_day_usd is None


def test_an_unknown_price_of_what_does_not_change_does_not_matter():
    assert plan(JOB, Line("endpoint", "cats", "unchanged", UNKNOWN.cost)).first_day_usd == 1.5


def test_the_table_shows_every_resource_the_total_and_what_is_left_out():
    lines = plan(JOB, ENDPOINT).as_table().splitlines()

    assert lines[0].split() == ["resource", "name", "would", "be", "costs", "at", "most"]
    assert lines[1] == "training job  job-1  started   1.50 USD: 1 x ml.g4dn.xlarge"
    assert lines[2] == "endpoint      cats   created   0.100 USD an hour"
    assert "The run and the endpoint's first day: at most 3.90 US dollars." in lines
    assert lines[-1].startswith("Not in these figures: storage volumes")


def test_the_table_says_what_the_test_set_can_show():
    shown = Plan("cats", (JOB,), ("90 test images measure an accuracy ...",))

    assert "90 test images measure an accuracy ..." in shown.as_table().splitlines()
    assert shown.as_json()["test_set"] == ["90 test images measure an accuracy ..."]


def test_the_table_gives_advice():
    shown = Plan("cats", (JOB,), advice=("Advice: set `format: recordio` ...",))

    assert "Advice: set `format: recordio` ..." in shown.as_table().splitlines()
    assert shown.as_json()["advice"] == ["Advice: set `format: recordio` ..."]


def test_a_table_with_an_unknown_price_has_no_total():
    assert "first day: not known" in plan(JOB, UNKNOWN).as_table()


def test_the_plan_goes_through_json():
    document = json.loads(json.dumps(plan(JOB, UNKNOWN).as_json()))

    assert document["first_day_usd"] is None
    assert document["lines"][0]["cost"]["once_usd"] == 1.5


def test_a_run_dearer_than_its_budget_is_refused_with_what_to_do():
    check_budget(plan(JOB, ENDPOINT), max_cost_usd=3.9)

    with pytest.raises(BudgetError, match=r"may cost 3\.90 US dollars .* max_cost_usd is 3\. Lower time_limit_s"):
        check_budget(plan(JOB, ENDPOINT), max_cost_usd=3)


def test_a_run_of_unknown_cost_is_refused_with_how_to_know_it():
    with pytest.raises(BudgetError, match=r"not known: endpoint: unknown: no price\. Let .* pricing:GetProducts"):
        check_budget(plan(JOB, UNKNOWN), max_cost_usd=1000)


def test_a_run_that_pays_for_nothing_passes_any_budget():
    reused, unchanged = Line("training job", "job-1", "reused"), Line("endpoint", "cats", "unchanged", UNKNOWN.cost)

    check_budget(plan(reused, unchanged), max_cost_usd=0)
    with pytest.raises(BudgetError):
        check_budget(plan(reused, ENDPOINT), max_cost_usd=0)
