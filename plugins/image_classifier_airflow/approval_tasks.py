"""Makes the tasks of an approval, which the Dag of a classifier has if its file has `promotion.mode: approval`."""

from typing import Any

from image_classifier.classifier import Classifier
from image_classifier_airflow.steps import gate
from image_classifier_airflow.steps.evaluate_and_promote import EvaluationSteps


def approval_tasks(
    classifier: Classifier, evaluation: EvaluationSteps, *, dataset: Any, job: Any, training: Any
) -> list[Any]:
    """The tasks between the decision and what it lets happen; none unless the classifier's file says so.

    Args:
        classifier: whose ``promotion.mode`` decides.
        evaluation: the steps that compare models.
        dataset: the result of the task that prepares.
        job: of the task that trains.
        training: of the task that plans the training, by its keys.

    """
    if classifier.promotion.mode != "approval":
        return []
    from image_classifier_airflow.operators.approval import ApprovalOperator
    from image_classifier_airflow.steps.approval import ApprovalSteps

    approval = ApprovalSteps(classifier, evaluation)
    inputs = {"dataset": dataset, "job": job, "training": training["config"]}
    ask = ApprovalOperator(task_id="ask", approval=approval, inputs=inputs)
    return [ask, gate(approval.promote)(dataset, job, ask.output)]
