"""Builds the tasks that make the data set: one, or a listing, shards and a last one, as the file's runner says."""

from datetime import timedelta
from typing import Any

from image_classifier.classifier import Classifier
from image_classifier_airflow.assets import CHANGES
from image_classifier_airflow.operators.processing import ProcessingJobOperator
from image_classifier_airflow.operators.step import StepOperator
from image_classifier_airflow.steps import step
from image_classifier_airflow.steps.preparation import PreparationSteps

LONGEST = timedelta(hours=12)


def prepared(classifier: Classifier) -> Any:
    """Add the tasks, and return the first of them and the result of the last, which is the data set.

    ``prepare_dataset`` prepares every shard that no other task has prepared: with the runner ``task`` all of them.

    Args:
        classifier: the classifier of the Dag.

    """
    steps = PreparationSteps(classifier)
    finish = step(steps.prepare_dataset, execution_timeout=LONGEST, outlets=[CHANGES], trigger_rule="none_failed")
    if classifier.preparation.runner == "task":
        dataset = finish()
        return dataset, dataset
    listed = step(steps.list_images, execution_timeout=LONGEST)()
    dataset = finish(listed["listing"])
    if classifier.preparation.runner in ("auto", "mapped"):
        shard = StepOperator.partial(
            task_id="prepare_shard",
            function=steps.prepare_shard,
            doc_md=steps.prepare_shard.__doc__,
            execution_timeout=LONGEST,
        )
        dataset.operator.set_upstream(shard.expand(arguments=listed))
    if classifier.preparation.runner == "processing":
        job = ProcessingJobOperator(task_id="prepare_on_instances", config=listed["processing"])
        dataset.operator.set_upstream(job)
    return listed, dataset
