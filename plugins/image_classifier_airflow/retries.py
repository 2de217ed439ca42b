"""Lists the errors that are not retried, because a retry would fail, and possibly cost, again."""

from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryRule

from image_classifier.contracts import errors

WHY_NOT_AGAIN: dict[type[Exception], str] = {
    errors.SettingsError: "A person has to change a setting first",
    errors.StackError: "A person has to deploy the stack first",
    errors.ClassifierFileError: "A person has to change the classifier's file, or what the run asks for, first",
    errors.DatasetError: "A person has to change the images first",
    errors.PreparationInputError: "The processing job would fail in the same way again",
    errors.PreparationStoppedError: "Someone, or the time limit, stopped the processing job on purpose",
    errors.ObjectGoneError: "An earlier task has to write the object again: start a new run",
    errors.AwsRefusalError: "AWS would refuse the same request again",
    errors.NotificationOverlapError: "A person has to change one of the two event notifications",
    errors.NotificationGoneError: "Somebody deleted the event notification, perhaps with the classifier",
    errors.BudgetError: "A person has to allow the cost, or make the run cheaper",
    errors.TrainingInputError: "The algorithm would refuse the same input again",
    errors.TrainingStoppedError: "Someone, or the time limit, stopped the training job on purpose",
    errors.EvaluationInputError: "The model would refuse the same images again",
    errors.EvaluationStoppedError: "Someone, or the time limit, stopped the transform job on purpose",
    errors.ResourceClashError: "Somebody else's resource has the name; a person has to look at it",
    errors.EndpointGoneError: "Somebody deleted the endpoint, perhaps with the classifier: another would cost again",
    errors.EndpointRolledBackError: "The new model does not start; the earlier one still serves",
    errors.WatchFindingsError: "The next run looks again, in ten minutes",
    errors.UnwantedEndpointError: "A person has to delete the endpoint, or to add its classifier file",
}

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=error, action=RetryAction.FAIL, reason=reason) for error, reason in WHY_NOT_AGAIN.items()
    ]
)
