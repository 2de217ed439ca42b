"""Checks the error for each end of a job, and the advice in its message."""

import pytest

from image_classifier.contracts import errors
from image_classifier.train import ends
from image_classifier.train.failures import FAILURES, cause_of, remedy_for


def job(status, secondary="", **values):
    limits = {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900}
    return {
        "TrainingJobName": "job",
        "TrainingJobStatus": status,
        "SecondaryStatus": secondary or status,
        "StoppingCondition": limits,
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge"},
        **values,
    }


def told(found):
    with pytest.raises(errors.TrainingError) as caught:
        ends.check_completed(found)
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("ClientError: bad images", errors.TrainingInputError),
        ("AlgorithmError: exit code 1", errors.TrainingInputError),
        ("ClientError: Data download failed:AccessDenied", errors.TrainingInputError),
        ("InternalServerError: we failed", errors.TrainingServiceError),
        ("CapacityError: Unable to provision requested ML compute capacity.", errors.TrainingServiceError),
        ("ClientError: Unable to provision requested ML compute capacity", errors.TrainingServiceError),
    ],
)
def test_a_failure_is_reported_by_its_kind(reason, error):
    ends.check_completed(job("Completed"))

    kind, message = told(job("Failed", FailureReason=reason))

    assert kind is error
    assert message.startswith("Training job job failed")


def test_a_failure_of_no_known_kind_is_neither():
    assert told(job("Failed", FailureReason="Something {new}")) == (
        errors.TrainingError,
        "Training job job is Failed: Something {new}.",
    )


def test_a_failure_without_a_reason_is_reported_all_the_same():
    assert told(job("Failed"))[1] == "Training job job is Failed: AWS gives no reason."


@pytest.mark.parametrize(
    ("secondary", "says"),
    [
        ("MaxRuntimeExceeded", "stopped by its time limit, 600 s.*Raise time_limit_s.*accept_time_limit"),
        ("MaxWaitTimeExceeded", "not done within max_wait_s, 900 s.*on_demand_fallback"),
        ("Stopped", "stopped by someone"),
    ],
)
def test_a_stopped_job_is_no_success_and_says_who_stopped_it(secondary, says):
    with pytest.raises(errors.TrainingStoppedError, match=says):
        ends.check_completed(job("Stopped", secondary))


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("The number of input images must be bigger or equal to the mini_batch_size.", "Lower mini_batch_size"),
        (
            "Mismatch between number of labels in the multi-label data (4) and the num_classes parameter (5)",
            "counts the classes anew",
        ),
        ("Unable to start training. Empty .rec file in train channel., exit code: 2", "report.json"),
        ("Unable to start training. No image of the validation channel can be read.", "report.json"),
        (
            "Additional properties are not allowed ('epoch' was unexpected) (caused by ValidationError)",
            "hyperparameter",
        ),
        ("The training diverged: the loss is not a number. Lower learning_rate, which is 9.0.", "Lower learning_rate"),
        ("[12:00:00] src/storage: cudaMalloc failed: out of memory", "halve mini_batch_size"),
        ("OSError: [Errno 28] No space left on device", "volume_size_gb"),
        ("Data download failed:AccessDenied (403): Access Denied", "training role lacks a right"),
        ("No S3 objects found under S3 URL", "uploads them again"),
        ("A host of this job is gone, or does not answer: timeout", "run again"),
        ("nobody has ever seen this", "CloudWatch, /aws/sagemaker/TrainingJobs, job/"),
    ],
)
def test_a_known_message_has_its_remedy_and_an_unknown_one_the_log(reason, remedy):
    assert remedy in remedy_for(reason, job="job")
    assert cause_of(reason) in told(job("Failed", FailureReason=f"ClientError: {reason}"))[1]


def test_the_kind_of_a_failure_is_for_machines():
    assert cause_of("ClientError: bad images") == "bad images."


def test_every_cure_is_a_sentence():
    assert all(known.remedy.endswith(".") for known in FAILURES)


@pytest.mark.parametrize(
    ("reason", "end"),
    [("ClientError: bad", "input"), ("ClientError: Access Denied", "elsewhere"), ("AlgorithmError: x", "input")],
)
def test_what_is_remedied_outside_the_request_is_distinguished(reason, end):
    assert ends.end_of(job("Failed", FailureReason=reason)) == end
