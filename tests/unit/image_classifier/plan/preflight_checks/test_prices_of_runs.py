"""Checks the maximum cost of a run in the preflight: training, tuning and their transform jobs."""

import pytest

from image_classifier.classifier import Classifier
from image_classifier.plan.preflight_checks.run import price_of_a_month, price_of_a_run
from image_classifier.plan.prices import PriceBook, Quoted

SOURCE = {"region": "eu-west-1", "as_of": "2026-01-01", "source": "https://example.org/"}
ROWS = (
    ("ml.g4dn.xlarge", "training", 0.8),
    ("ml.g5.xlarge", "training", 1.5),
    ("ml.m5.large", "hosting", 0.1),
    ("ml.m5.xlarge", "hosting", 0.2),
    ("ml.m5.xlarge", "processing", 0.3),
)
TABLE = [
    Quoted.model_validate({**SOURCE, "instance_type": machine, "use": use, "usd_per_hour": usd})
    for machine, use, usd in ROWS
]


def price(classifier, table=TABLE):
    return price_of_a_run(classifier, prices=PriceBook("eu-west-1", None, table))


def cats(**values):
    return Classifier.model_validate({"name": "cats", "source": "cats", "training": {"time_limit_s": 3600}, **values})


@pytest.mark.parametrize(
    ("tuning", "usd"),
    [
        (None, 0.8 + 2 * 0.2),
        ({"max_jobs": 5, "finalists": 2}, 0.8 + 2 * 0.2 + 4 * 0.8 + 3 * 0.2),
        ({"max_jobs": 5, "enabled": False}, 0.8 + 2 * 0.2),
    ],
)
def test_a_run_costs_all_its_jobs_up_to_their_limits(tuning, usd):
    finding = price(cats(tuning=tuning))

    assert finding.status == "ok"
    assert finding.found.startswith(f"at most {usd:,.2f} USD, the sum of ")


def test_a_run_costs_the_instances_that_prepare_its_images():
    preparation = {"runner": "processing", "instance_count": 4, "time_limit_s": 1800}

    finding = price(cats(source="s3://photos/cats/", preparation=preparation))

    assert finding.found.startswith(f"at most {0.8 + 2 * 0.2 + 4 * 0.3 / 2:,.2f} USD, the sum of ")


def test_an_unknown_price_of_the_preparation_makes_the_run_s_unknown():
    finding = price(cats(source="s3://photos/cats/", preparation={"runner": "processing"}), table=TABLE[:-1])

    assert finding.status == "not checked"


def test_one_price_that_is_unknown_makes_the_run_s_unknown():
    finding = price(cats(), table=TABLE[:1])

    assert finding.status == "not checked"
    assert "2 x ml.m5.xlarge for 3,600 s" in finding.found


def test_a_run_costs_every_instance_of_the_dearest_type_that_it_may_get():
    spot = {"spot": True, "max_wait_s": 7200}
    training = {"time_limit_s": 3600, "instance_count": 2, "instance_type_fallbacks": ["ml.g5.xlarge"], **spot}

    finding = price(cats(training=training))

    assert finding.found.startswith(f"at most {2 * 1.5 + 2 * 0.2:,.2f} USD, the sum of 3.00 USD: 2 x ml.g5.xlarge for ")
    assert "; managed spot costs less" in finding.found


@pytest.mark.parametrize(("table", "status"), [(TABLE, "ok"), ([], "not checked")])
def test_a_month_costs_every_instance_of_the_endpoint(table, status):
    classifier = cats(endpoint={"instance_count": 3})

    finding = price_of_a_month(classifier, prices=PriceBook("eu-west-1", None, table))

    assert finding.status == status
    assert "3 x ml.m5.large" in finding.found
    assert finding.found.startswith("219.00 USD: ") == (status == "ok")
