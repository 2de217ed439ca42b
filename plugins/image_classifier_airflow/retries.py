"""Which failures are worth another attempt: a wrong file or a refused input would fail, and cost, again."""

from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryRule

from image_classifier import errors

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[errors.SettingsError, errors.ClassifierFileError],
            action=RetryAction.FAIL,
            reason="A person has to change a setting or the classifier's file first",
        ),
        RetryRule(
            exception=errors.DatasetError,
            action=RetryAction.FAIL,
            reason="A person has to change the images first",
        ),
        RetryRule(
            exception=errors.BudgetError,
            action=RetryAction.FAIL,
            reason="A person has to allow the cost, or make the run cheaper",
        ),
        RetryRule(
            exception=errors.TrainingInputError,
            action=RetryAction.FAIL,
            reason="The algorithm would refuse the same input again",
        ),
        RetryRule(
            exception=errors.TrainingStoppedError,
            action=RetryAction.FAIL,
            reason="Someone, or the time limit, stopped the training job on purpose",
        ),
        RetryRule(
            exception=errors.ResourceClashError,
            action=RetryAction.FAIL,
            reason="Somebody else's resource has the name; a person has to look at it",
        ),
        RetryRule(
            exception=errors.EndpointGoneError,
            action=RetryAction.FAIL,
            reason="Somebody deleted the endpoint, perhaps with the whole classifier: another one would cost again",
        ),
        RetryRule(
            exception=errors.EndpointRolledBackError,
            action=RetryAction.FAIL,
            reason="The new model does not start; the earlier one still serves",
        ),
        RetryRule(
            exception=errors.UnwantedEndpointError,
            action=RetryAction.FAIL,
            reason="A person has to delete the endpoint, or to want it",
        ),
    ]
)
