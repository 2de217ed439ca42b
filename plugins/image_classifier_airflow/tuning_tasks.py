"""Builds the tuning tasks of a classifier's Dag, if its file has `tuning`."""

from typing import Any

from airflow.sdk import chain

from image_classifier.classifier import Classifier
from image_classifier_airflow.operators.hosting import ModelOperator
from image_classifier_airflow.operators.transform import TransformJobOperator
from image_classifier_airflow.steps import step


def tuned(classifier: Classifier, dataset: Any, training: Any, job: Any) -> Any:
    """Add the tasks after the training task, and return the result of the job whose model is evaluated.

    Without `tuning` in the classifier's file no task is added, and `job` is returned. The training job with the file's
    hyperparameters runs first, so that an input that the algorithm refuses costs one job and not a whole search.

    Args:
        classifier: the classifier of the Dag.
        dataset: result of the task that prepares the data set.
        training: result of the task that plans the training.
        job: result of the training task.

    """
    if classifier.tuning is None:
        return job
    from image_classifier_airflow.operators.tuning import TuningJobOperator
    from image_classifier_airflow.steps.tuning import TuningSteps

    steps = TuningSteps(classifier)
    search = TuningJobOperator(task_id="tune_hyperparameters", config=training["tuning"])
    trials = step(steps.plan_trials)(dataset, job, search.output)
    models = ModelOperator.partial(task_id="create_trial_models").expand(config=trials.map(_model))
    scored = TransformJobOperator.partial(task_id="score_trials").expand(config=trials.map(_scoring))
    chosen = step(steps.choose_trial, trigger_rule="none_failed")(dataset, job, search.output)
    chain(job, search)
    chain(models, scored, chosen)
    return chosen


def _model(trial: dict[str, Any]) -> Any:
    return trial["model"]


def _scoring(trial: dict[str, Any]) -> Any:
    return trial["scoring"]
