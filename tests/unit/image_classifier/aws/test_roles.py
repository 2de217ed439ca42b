"""Checks that each kind of request waits for a role that is seconds old, and says what to do about a wrong one."""

import pytest

from image_classifier.aws.jobs.kinds import PROCESSING_JOB, TRAINING_JOB, TRANSFORM_JOB, TUNING_JOB
from image_classifier.aws.roles import ASSUMED_AFTER_TRIES, once_assumable
from image_classifier.contracts.errors import AwsRefusalError

ROLE = "arn:aws:iam::123456789012:role/new"
SENTENCE = (
    f"Could not assume role {ROLE}. Please ensure that the role exists and allows principal "
    "'sagemaker.amazonaws.com' to assume the role."
)


class Client:
    """A client whose create methods raise these errors, one a call, before they work."""

    def __init__(self, *errors):
        self.errors, self.created = list(errors), []

    def __getattr__(self, method):
        def create(**request):
            if self.errors:
                raise self.errors.pop(0)
            self.created.append((method, request))

        return create


@pytest.fixture
def unassumed(refused):
    return refused("ValidationException", SENTENCE)


@pytest.mark.parametrize("kind", [TRAINING_JOB, TUNING_JOB, TRANSFORM_JOB, PROCESSING_JOB])
def test_a_job_waits_for_a_role_that_is_seconds_old(kind, unassumed, pauses):
    client = Client(unassumed, unassumed)

    kind.create(client, {kind.name_key: "job"})

    assert [request for _, request in client.created] == [{kind.name_key: "job"}]
    assert pauses == [5, 5]


def test_a_role_that_is_wrong_is_said_after_a_minute_with_what_to_do(unassumed, pauses):
    client = Client(*[unassumed] * ASSUMED_AFTER_TRIES)

    words = rf"Training job job: Could not assume role {ROLE}\..* for a minute.*preflight"
    with pytest.raises(AwsRefusalError, match=words):
        TRAINING_JOB.create(client, {"TrainingJobName": "job"})

    assert sum(pauses) == 60
    assert client.created == []


def test_another_refusal_is_raised_at_once(refused, pauses):
    error = refused("ValidationException", "Could not find image")

    with pytest.raises(type(error), match="Could not find image"):
        once_assumable(Client(error).create_model, what="Model m")

    assert pauses == []


def test_each_pause_is_in_the_log_with_its_reason(unassumed, caplog):
    caplog.set_level("INFO")

    once_assumable(Client(unassumed).create_model, what="Model m")

    [line] = [record.message for record in caplog.records]
    assert ROLE in line
    assert line.endswith("The call is repeated in 5 s.")
