"""Builds the approval tasks of a classifier's Dag, if its file has `promotion.mode: approval`."""

from typing import Any

from image_classifier.classifier import Classifier
from image_classifier_airflow.steps import gate
from image_classifier_airflow.steps.evaluate_and_promote import EvaluationSteps


def approval_tasks(
    classifier: Classifier, evaluation: EvaluationSteps, *, dataset: Any, job: Any, training: Any
) -> list[Any]:
    """Return the tasks between the decision and the deployment; empty unless the classifier's file asks for approval.

    Args:
        classifier: the classifier with its ``promotion.mode``.
        evaluation: the steps that compare models.
        dataset: result of the task that prepares the data set.
        job: result of the task that trains.
        training: result of the task that plans the training, by its keys.

    """
    if classifier.promotion.mode != "approval":
        return []
    from image_classifier_airflow.operators.approval import ApprovalOperator
    from image_classifier_airflow.page_links import asked_page
    from image_classifier_airflow.steps.approval import ApprovalSteps

    approval = ApprovalSteps(classifier, evaluation)
    inputs = {"dataset": dataset, "job": job, "training": training["config"]}
    ask = ApprovalOperator(task_id="ask", approval=approval, inputs=inputs, links=[asked_page(classifier.name)])
    return [ask, gate(approval.promote)(dataset, job, ask.output)]
