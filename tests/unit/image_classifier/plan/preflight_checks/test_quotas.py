"""Checks the quotas that a classifier needs at once, and the command that requests a higher one."""

import boto3
import pytest
from botocore.stub import Stubber

from image_classifier.classifier import Classifier
from image_classifier.plan.preflight_checks.quotas import check_quotas, needs_of

TRAINING = "ml.g4dn.xlarge for training job usage"
CATS = Classifier(name="cats", source="cats")


@pytest.fixture
def quotas():
    client = boto3.Session("testing", "testing", region_name="eu-west-1").client("service-quotas")
    client.stubber = Stubber(client)
    client.stubber.activate()
    return client


def quota(name, value, **more):
    return {"QuotaName": name, "QuotaCode": "L-12345678", "Value": value, "Adjustable": True, **more}


def answer(client, *, applied, default=(), functions=1000.0):
    client.stubber.add_response("list_service_quotas", {"Quotas": list(applied)}, {"ServiceCode": "sagemaker"})
    client.stubber.add_response(
        "list_aws_default_service_quotas", {"Quotas": list(default)}, {"ServiceCode": "sagemaker"}
    )
    concurrent = {"Quotas": [quota("Concurrent executions", functions)]}
    client.stubber.add_response("list_service_quotas", concurrent, {"ServiceCode": "lambda"})


ENOUGH = [
    quota(TRAINING, 1.0),
    quota("ml.m5.xlarge for transform job usage", 2.0),
    quota("ml.m5.large for endpoint usage", 2.0),
]


def test_a_run_needs_training_transform_endpoint_and_functions():
    assert [(need.quota, need.count) for need in needs_of(CATS)] == [
        (TRAINING, 1),
        ("ml.m5.xlarge for transform job usage", 2),
        ("ml.m5.large for endpoint usage", 2),
        ("Concurrent executions", 10),
    ]


def test_a_processing_job_needs_its_instances():
    preparation = {"runner": "processing", "instance_count": 3}
    processed = Classifier.model_validate({"name": "cats", "source": "s3://photos/cats/", "preparation": preparation})

    assert ("ml.m5.xlarge for processing job usage", 3) in [(need.quota, need.count) for need in needs_of(processed)]


def test_tuning_needs_machines_for_its_jobs_and_for_the_models_it_compares():
    search = {"max_jobs": 4, "max_parallel": 10, "finalists": 2}
    tuned = Classifier.model_validate(
        {"name": "cats", "source": "cats", "tuning": search, "training": {"instance_count": 2}}
    )

    assert [(need.quota, need.count) for need in needs_of(tuned)][:2] == [
        (TRAINING, 6),
        ("ml.m5.xlarge for transform job usage", 3),
    ]


def test_a_search_that_is_switched_off_needs_nothing():
    search = {"max_jobs": 4, "max_parallel": 10, "enabled": False}
    switched_off = Classifier.model_validate({"name": "cats", "source": "cats", "tuning": search})

    assert needs_of(switched_off) == needs_of(CATS)


def test_spot_jobs_have_a_quota_of_their_own_and_their_fallbacks_too():
    training = {
        "spot": True,
        "max_wait_s": 7200,
        "on_demand_fallback": True,
        "instance_type_fallbacks": ["ml.p3.2xlarge"],
    }
    spot = Classifier.model_validate({"name": "cats", "source": "cats", "training": training})

    assert [need.quota for need in needs_of(spot)][:3] == [
        "ml.g4dn.xlarge for spot training job usage",
        "ml.p3.2xlarge for spot training job usage",
        TRAINING,
    ]


def test_quotas_that_suffice_are_well(quotas):
    quotas.stubber.add_response("list_service_quotas", {"Quotas": ENOUGH}, {"ServiceCode": "sagemaker"})
    concurrent = {"Quotas": [quota("Concurrent executions", 10.0)]}
    quotas.stubber.add_response("list_service_quotas", concurrent, {"ServiceCode": "lambda"})

    assert {finding.status for finding in check_quotas(quotas, classifier=CATS)} == {"ok"}
    quotas.stubber.assert_no_pending_responses()


def test_a_quota_of_zero_gets_the_command_that_asks_for_more(quotas):
    answer(quotas, applied=ENOUGH[1:], default=[quota(TRAINING, 0.0)])

    first, *others = check_quotas(quotas, classifier=CATS)

    assert first.status == "missing"
    assert first.found == "0; a run needs 1 at once"
    assert first.command == (
        "aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code L-12345678 "
        "--desired-value 1 --region eu-west-1"
    )
    assert {finding.status for finding in others} == {"ok"}


def test_the_account_s_own_value_counts_before_the_default(quotas):
    answer(quotas, applied=[quota(TRAINING, 3.0)], default=[quota(TRAINING, 0.0), *ENOUGH[1:]])

    assert next(iter(check_quotas(quotas, classifier=CATS))).found == "3; a run needs 1 at once"


def test_few_concurrent_functions_are_missing(quotas):
    answer(quotas, applied=ENOUGH[:2], default=ENOUGH, functions=5.0)

    *_, last = check_quotas(quotas, classifier=CATS)

    assert (last.status, last.check) == ("missing", "quota Concurrent executions")


def test_a_quota_that_aws_does_not_raise_gets_another_advice(quotas):
    answer(quotas, applied=ENOUGH[1:], default=[quota(TRAINING, 0.0, Adjustable=False)])

    assert "another type" in next(iter(check_quotas(quotas, classifier=CATS))).command


def test_a_quota_that_is_not_listed_is_unchecked(quotas):
    answer(quotas, applied=ENOUGH[1:])

    assert next(iter(check_quotas(quotas, classifier=CATS))).status == "not checked"


def test_service_quotas_that_refuses_is_unchecked(quotas):
    quotas.stubber.add_client_error("list_service_quotas", "AccessDeniedException")
    quotas.stubber.add_client_error("list_service_quotas", "AccessDeniedException")

    assert [finding.status for finding in check_quotas(quotas, classifier=CATS)] == ["not checked", "not checked"]
