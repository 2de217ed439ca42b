"""Checks that a wrongly deployed function logs once every variable to correct."""

import subprocess
import sys
from pathlib import Path

import pytest

from image_classifier.contracts.errors import SettingsError
from image_classifier_inference.environment import Environment

ROOT = Path(__file__).parents[3]
VARIABLES = [
    "CLASSIFIER",
    "ENDPOINT",
    "ENDPOINT_CONFIG",
    "TRAINING_JOB",
    "UNSURE_BELOW",
    "MODELS_PREFIX",
    "INCOMING_PREFIX",
    "PREDICTIONS_PREFIX",
]
START = "from image_classifier_inference import handler; print(handler.lambda_handler({}, None))"


def test_the_variables_become_values(environ):
    environment = Environment.from_environ(environ)

    assert (environment.unsure_below, environment.training_job) == (0.6, "job-2")


@pytest.mark.parametrize("name", VARIABLES)
def test_each_missing_variable_is_named(name, environ):
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        Environment.from_environ({key: value for key, value in environ.items() if key != name})


def test_all_problems_are_named_at_once(environ):
    with pytest.raises(SettingsError, match=r"CLASSIFIER is not set.*ENDPOINT is not set.*TRAINING_JOB is not set"):
        Environment.from_environ({})


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("ENDPOINT", ""),
        ("UNSURE_BELOW", "high"),
        ("UNSURE_BELOW", "1.5"),
        ("INCOMING_PREFIX", "pets/incoming"),
    ],
)
def test_a_wrong_value_is_named_and_shown(name, wrong, environ):
    with pytest.raises(SettingsError, match=f"{name}: .*found {wrong!r}"):
        Environment.from_environ({**environ, name: wrong})


def test_records_below_the_images_are_refused(environ):
    with pytest.raises(SettingsError, match="would trigger the function again"):
        Environment.from_environ({**environ, "PREDICTIONS_PREFIX": "pets/incoming/predictions/"})


def import_handler(environ):
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from image_classifier_inference import handler; print(handler.lambda_handler({}, None))",
        ],
        env={
            "PYTHONPATH": f"{ROOT}/lambda:{ROOT}/include",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_handler_starts_cold_and_takes_an_event(environ):
    result = import_handler(environ)

    assert result.stdout == "{'images': 0}\n", result.stderr


def test_the_handler_does_not_start_without_its_variables():
    result = import_handler({})

    assert result.returncode != 0
    assert "SettingsError: The inference function cannot start: CLASSIFIER is not set" in result.stderr


def test_the_threshold_may_be_auto_and_calibration_is_off_by_default(environ):
    assert Environment.from_environ({**environ, "UNSURE_BELOW": "auto"}).unsure_below is None
    assert Environment.from_environ(environ).calibrate is False
    assert Environment.from_environ({**environ, "CALIBRATE": "true"}).calibrate is True
