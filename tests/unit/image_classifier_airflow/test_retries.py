import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from image_classifier.contracts import errors
from image_classifier_airflow.retries import RETRY_POLICY


def decision(error):
    return RETRY_POLICY.evaluate(error, try_number=1, max_tries=3)


@pytest.mark.parametrize(
    "error",
    [
        errors.SettingsError("a variable is missing"),
        errors.ClassifierFileError("a field is wrong"),
        errors.HyperparameterError("a value is wrong"),
        errors.DatasetError("an image is wrong"),
        errors.LabelsChangedError("a class is gone"),
        errors.BudgetError("too dear"),
        errors.TrainingInputError("the algorithm refused it"),
        errors.TrainingStoppedError("a person stopped it"),
        errors.ResourceClashError("other content"),
        errors.EndpointGoneError("a person deleted it"),
        errors.EndpointRolledBackError("AWS took it back"),
        errors.UnwantedEndpointError("it costs"),
        errors.ObjectGoneError("it was deleted"),
        errors.AwsRefusalError("the role may not"),
        errors.NotificationOverlapError("another has the prefix"),
        errors.NotificationGoneError("a teardown deleted it"),
        errors.WatchFindingsError("uploads have no record"),
        errors.StackError("CloudFormation refused it"),
        errors.PreparationInputError("a right is missing"),
        errors.PreparationStoppedError("a person stopped it"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_would_fail_again_is_not_tried_again(error):
    assert decision(error).action is RetryAction.FAIL
    assert decision(error).reason


@pytest.mark.parametrize(
    "error",
    [
        errors.TrainingServiceError("no capacity"),
        errors.TrainingError("unknown"),
        errors.ResourceBusyError("an earlier change"),
        errors.StorageError("S3 is busy"),
        errors.PreparationError("a process was killed"),
        errors.EndpointError("not in service"),
        errors.FunctionError("not packed"),
        errors.QuestionOutdatedError("another model serves"),
        errors.PredictionError("no record yet"),
        ConnectionError("the network"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_pass_is_tried_again(error):
    assert decision(error).action is RetryAction.DEFAULT


def test_every_error_of_ours_is_listed_here():
    ours = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.ImageClassifierError)
    }

    assert ours == {
        "ImageClassifierError",
        "NotificationGoneError",
        "PreparationError",
        "PreparationInputError",
        "PreparationStoppedError",
        "SettingsError",
        "StackError",
        "ClassifierFileError",
        "HyperparameterError",
        "DatasetError",
        "ImageRejectedError",
        "LabelsChangedError",
        "StorageError",
        "BudgetError",
        "TrainingError",
        "TrainingInputError",
        "TrainingServiceError",
        "TrainingStoppedError",
        "EvaluationError",
        "EvaluationInputError",
        "EvaluationStoppedError",
        "QuestionOutdatedError",
        "ResourceClashError",
        "ResourceBusyError",
        "EndpointError",
        "ModelRefusalError",
        "EndpointGoneError",
        "EndpointRolledBackError",
        "UnwantedEndpointError",
        "ObjectGoneError",
        "AwsRefusalError",
        "NotificationOverlapError",
        "WatchFindingsError",
        "FunctionError",
        "PredictionError",
        "CorrectionError",
    }
