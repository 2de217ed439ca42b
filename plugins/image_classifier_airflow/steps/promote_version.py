"""Refuses a run that names a version to promote and would pay for another model."""

from collections.abc import Mapping
from typing import Any

from image_classifier.classifier import Classifier
from image_classifier.classifier.run_params import RunParams
from image_classifier_airflow.classifiers import train_and_deploy_dag_id
from image_classifier_airflow.steps import clients


def check_promote_version(
    planned: Mapping[str, Any], *, classifier: Classifier, params: Mapping[str, Any], run_id: str
) -> None:
    """Check the run's `promote_version` before its training task starts a job.

    Args:
        planned: the arguments of the tasks that train.
        classifier: whose.
        params: the run's.
        run_id: the run's, of the classifier's own Dag.

    Raises:
        ClassifierFileError: the run would train another model than the one it names.

    """
    wanted = (RunParams.from_params(params).promote_version or "").strip()
    if not wanted:
        return
    from image_classifier.promote.named import check_before_training

    conn = classifier.aws_conn_id
    check_before_training(
        clients.sagemaker(conn),
        clients.s3(conn),
        wanted,
        classifier=classifier.name,
        planned=planned,
        only_of_run=(train_and_deploy_dag_id(classifier.name), run_id) if planned["force"] else None,
    )
