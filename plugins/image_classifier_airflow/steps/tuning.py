"""Implements the tasks after tuning: choose the models to score on the validation images, and the best of them."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.run_params import with_run_params
from image_classifier.contracts.errors import TrainingError
from image_classifier_airflow.steps import clients

if TYPE_CHECKING:
    from image_classifier.classifier.tuning import Tuning
    from image_classifier.evaluate.report.model import TuningFigures
    from image_classifier.evaluate.trials.scoring import Validation
    from image_classifier.train.tuning.trials import Trial

log = logging.getLogger(__name__)

Params = Mapping[str, Any]
Json = dict[str, Any]


def search_of(job: Json, classifier: Classifier) -> "TuningFigures | None":
    """Return the search in which a run's model was chosen; None if there was no search."""
    from image_classifier.evaluate.trials.choice import stored_tuning

    if "tuning" not in job:
        return None
    where = {"classifier": classifier.name, "bucket": Settings.from_env().bucket}
    return stored_tuning(clients.s3(classifier.aws_conn_id), **where, tuning_job=job["tuning"]["tuning_job"])


class TuningSteps:
    """The steps of one classifier's Dag; Airflow passes the variables of a run by the names of the arguments."""

    def __init__(self, classifier: Classifier) -> None:
        """Store the classifier of the file; a run's params may change it."""
        self._classifier = classifier

    def plan_trials(self, dataset: Json, job: Json, tuning_job: str | None, params: Params) -> list[Json]:
        """Return, for the first job and the best trials, the requests for the ``model`` and for its ``scoring``.

        A model whose answers for these validation images are stored is left out.
        """
        from image_classifier.deploy.model import model_request
        from image_classifier.evaluate.trials.scoring import request_for_trial

        classifier, settings = self._of(params), Settings.from_env()
        planned: list[Json] = []
        if tuning_job is None:
            return planned
        validation, limit_s = self._validation(dataset), classifier.evaluation.time_limit_s
        for training_job in (job["training_job"], *self._finalists(classifier, tuning_job)):
            trained = self._describe(training_job)
            model = model_request(
                classifier,
                settings=settings,
                training_job=training_job,
                model_artifact=trained["ModelArtifacts"]["S3ModelArtifacts"],
                image=trained["AlgorithmSpecification"]["TrainingImage"],
            )
            where = {"training_job": training_job, "model": model["ModelName"]}
            request = request_for_trial(clients.s3(self._conn), validation, classifier=classifier, **where)
            if request is not None:
                scoring = {"request": request, "classifier": classifier.name, "time_limit_s": limit_s}
                planned.append({"model": model, "scoring": scoring})
        return planned

    def choose_trial(self, dataset: Json, job: Json, tuning_job: str | None, params: Params, dag_run: Any) -> Json:
        """Choose the model that is most accurate on the validation images; return its job as a training task does.

        Without tuning it is the only model.
        """
        from image_classifier.deploy.model_file import read_labels
        from image_classifier.evaluate.trials import choice
        from image_classifier.evaluate.trials.scoring import validation_answers
        from image_classifier.train.tuning.trials import Trial, trials_of

        classifier, s3 = self._of(params), clients.s3(self._conn)
        if tuning_job is None or classifier.tuning is None:
            return job
        validation, bucket = self._validation(dataset), Settings.from_env().bucket
        labels = read_labels(s3, bucket=bucket, key=dataset["labels_key"])
        first = Trial(job["training_job"], self._own_hyperparameters(job, classifier.tuning))
        scored = {first.training_job, *self._finalists(classifier, tuning_job)}
        found = []
        for trial in (first, *trials_of(clients.sagemaker(self._conn), tuning_job)):
            name = trial.training_job
            answers = None
            if name in scored:
                answers = validation_answers(s3, validation, training_job=name, labels=labels)
            found.append(
                choice.trial_figures(
                    trial, answers, labels=labels, is_default=trial is first, billable_s=self._billable_s(name)
                )
            )
        figures = choice.tuning_figures(classifier.tuning, tuning_job=tuning_job, trials=found)
        choice.write_tuning(s3, figures, classifier=classifier.name, bucket=bucket)
        log.info("Of %d models the best on the validation images:\n%s", len(found), choice.as_table(figures))
        run = (dag_run.dag_id, dag_run.run_id)
        return self._result(job, chosen=figures.chosen, tuning_job=tuning_job, run=run)

    def _result(self, job: Json, *, chosen: str, tuning_job: str, run: tuple[str, str]) -> Json:
        """Return the chosen job's result, with the billed seconds of the whole search in this run."""
        from image_classifier.train.training_jobs import training_result
        from image_classifier.train.tuning.tuning_jobs import describe_tuning_job, run_of

        sagemaker, trained = clients.sagemaker(self._conn), self._describe(chosen)
        described = describe_tuning_job(sagemaker, tuning_job)
        is_new = described is not None and run_of(sagemaker, described) == run
        trials = self._trials(tuning_job) if is_new else []
        first_s = 0 if job["outcome"] == "reused" else job["billable_s"] or 0
        billable_s = first_s + sum(self._billable_s(trial.training_job) or 0 for trial in trials)
        billed = {"tuning_job": tuning_job, "jobs": len(trials), "billable_s": billable_s}
        hyperparameters = {
            name: value for name, value in trained["HyperParameters"].items() if not name.startswith("_tuning")
        }
        if chosen == job["training_job"]:
            return {**job, "tuning": billed, "hyperparameters": hyperparameters}
        best = self._best_validation_accuracy(chosen)
        result = training_result(trained, outcome="started" if is_new else "reused", attempt=1, best=best)
        return {**result, "tuning": billed, "hyperparameters": hyperparameters}

    def _finalists(self, classifier: Classifier, tuning_job: str) -> list[str]:
        from image_classifier.train.tuning.trials import finalists

        count = classifier.tuning.finalists if classifier.tuning else 0
        return [trial.training_job for trial in finalists(self._trials(tuning_job), count=count)]

    def _trials(self, tuning_job: str) -> "list[Trial]":
        from image_classifier.train.tuning.trials import trials_of

        return trials_of(clients.sagemaker(self._conn), tuning_job)

    def _own_hyperparameters(self, job: Json, tuning: "Tuning") -> dict[str, str]:
        """Return the file's values of the hyperparameters that the tuning job searches."""
        return {
            name: value
            for name, value in self._describe(job["training_job"])["HyperParameters"].items()
            if name in tuning.ranges
        }

    def _billable_s(self, training_job: str) -> int | None:
        """Return the seconds that AWS bills for a training job, summed over its instances."""
        found = self._describe(training_job)
        billable_s = found.get("BillableTimeInSeconds")
        return None if billable_s is None else billable_s * found["ResourceConfig"]["InstanceCount"]

    def _describe(self, training_job: str) -> Mapping[str, Any]:
        from image_classifier.train.training_jobs import describe_training_job

        found = describe_training_job(clients.sagemaker(self._conn), training_job)
        if found is None:
            raise TrainingError(f"Training job {training_job} is gone; someone deleted it: run the Dag again.")
        return found

    def _best_validation_accuracy(self, training_job: str) -> float | None:
        from image_classifier.train import job_log

        try:
            lines, _ = job_log.log_events(clients.of_a_classifier(self._conn).logs, training_job)
        except ClientError as error:
            log.warning("The log of %s cannot be read, its best accuracy stays unknown: %s", training_job, error)
            return None
        return job_log.best_validation_accuracy(lines)

    def _validation(self, dataset: Json) -> "Validation":
        from image_classifier.aws.names import Keys
        from image_classifier.evaluate.images import version_images
        from image_classifier.evaluate.trials.scoring import validation_of

        name, bucket = self._classifier.name, Settings.from_env().bucket
        version = Keys(name).version(dataset["fingerprint"])
        images = version_images(clients.s3(self._conn), bucket=bucket, version=version)
        return validation_of(images, classifier=name, bucket=bucket)

    def _of(self, params: Params) -> Classifier:
        return with_run_params(self._classifier, params)

    @property
    def _conn(self) -> str:
        return self._classifier.aws_conn_id
