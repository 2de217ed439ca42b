"""Checks which fault plans are valid, and the messages about invalid ones."""

import json

import pytest

from local_aws.faults.error_codes import CODES, sentence, status
from local_aws.faults.plan import Capacity, FaultPlanError, parse

EVERY_KIND = [
    {"fault": "error", "operation": "CreateTrainingJob", "code": "ThrottlingException"},
    {"fault": "late_answer", "operation": "CreateTrainingJob", "seconds": 8},
    {"fault": "quota", "instance_type": "ml.g4dn.xlarge", "operation": "CreateTrainingJob", "limit": 0},
    {"fault": "capacity", "where": {"ResourceConfig.InstanceType": "ml.g4dn.xlarge"}},
    {"fault": "no_spot_capacity"},
    {"fault": "interrupt_spot", "after_epochs": 2},
    {"fault": "interrupt_spot", "after_s": 5, "wait_s": 0, "times": None},
    {"fault": "job_fails", "reason": "InternalServerError: We encountered an internal error.", "after_s": 1},
    {"fault": "slow_download", "seconds": 3},
    {"fault": "capacity", "operation": "CreateTransformJob"},
    {"fault": "record_fails", "status": 503},
    {"fault": "failed_update"},
    {"fault": "failed_create"},
    {"fault": "slow_endpoint", "seconds": 2},
    {"fault": "invoke", "status": 424, "times": 3},
    {"fault": "s3_event", "do": "lose"},
    {"fault": "s3_event", "do": "delay", "seconds": 2, "times": 2},
    {"fault": "role_not_ready", "seconds": 5},
]


def test_every_kind_of_fault_can_be_planned():
    assert [fault.fault for fault in parse(json.dumps(EVERY_KIND))] == [entry["fault"] for entry in EVERY_KIND]


def test_a_file_that_somebody_begins_to_write_is_a_plan_without_faults():
    assert parse("") == parse("\n") == []


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"fault": "earthquake"}, "entry 1 Input tag 'earthquake' found using 'fault' does not match any of"),
        ({"fault": "slow_download"}, "entry 1 (slow_download, seconds) Field required"),
        ({"fault": "capacity", "time": 2}, "entry 1 (capacity, time) Extra inputs are not permitted"),
        ({"fault": "capacity", "times": 0}, "entry 1 (capacity, times) Input should be greater than 0"),
        (
            {"fault": "error", "operation": "CreateTrainingjob", "code": "ThrottlingException"},
            "entry 1 (error, operation) Value error, SageMaker has no operation 'CreateTrainingjob'",
        ),
        (
            {"fault": "error", "operation": "CreateTrainingJob", "code": "Throttled"},
            "entry 1 (error, code) Input should be 'AccessDeniedException'",
        ),
        (
            {"fault": "interrupt_spot"},
            "entry 1 (interrupt_spot) Value error, give after_s or after_epochs, and not both",
        ),
        (
            {"fault": "job_fails", "operation": "CreateModel", "reason": "x"},
            "entry 1 (job_fails, operation) Input should be 'CreateTrainingJob', 'CreateTransformJob' or",
        ),
        ({"fault": "record_fails", "status": 200}, "entry 1 (record_fails, status) Input should be greater than or"),
        ({"fault": "invoke", "status": 404}, "entry 1 (invoke, status) Input should be 424, 429, 500 or 503"),
        (
            {"fault": "s3_event", "do": "delay"},
            "entry 1 (s3_event) Value error, delay and reorder need seconds; lose and repeat have none",
        ),
    ],
)
def test_what_is_wrong_with_an_entry_is_said(entry, sentence):
    with pytest.raises(FaultPlanError) as caught:
        parse(json.dumps([entry]))

    assert str(caught.value).startswith(sentence)


def test_every_wrong_entry_is_named():
    with pytest.raises(FaultPlanError, match=r"entry 1 .*; entry 3 "):
        parse(json.dumps([{"fault": "slow_download"}, {"fault": "capacity"}, {"fault": "slow_endpoint"}]))


def test_a_plan_that_is_no_json_is_refused():
    with pytest.raises(FaultPlanError, match="Invalid JSON"):
        parse("[{")


@pytest.mark.parametrize(
    ("where", "meets"),
    [
        ({}, True),
        ({"ResourceConfig.InstanceType": "ml.g4dn.xlarge"}, True),
        ({"ResourceConfig.InstanceType": "ml.p3.2xlarge"}, False),
        ({"ResourceConfig.InstanceType": "ml.g4dn.*", "TrainingJobName": "digits-*"}, True),
        ({"TrainingJobName": "cats-*"}, False),
        ({"ResourceConfig.InstanceCount": 1}, True),
        ({"EnableManagedSpotTraining": False}, True),
        ({"EnableManagedSpotTraining": True}, False),
        ({"TrainingJobName.x": "y"}, False),
    ],
)
def test_a_fault_meets_the_requests_that_have_the_values_of_where(where, meets):
    request = {
        "TrainingJobName": "digits-a1b2",
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1},
    }

    assert Capacity(fault="capacity", where=where).meets(request) is meets


def test_every_code_has_the_status_and_the_sentence_of_aws():
    assert {code: status(code) for code in CODES if status(code) != 400} == {
        "InternalFailure": 500,
        "InternalServerError": 500,
        "ServiceUnavailable": 503,
    }
    assert all(sentence(code) for code in CODES)
