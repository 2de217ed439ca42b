"""Runs one tuning job from its first training job to its end, also after a restart of the server."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from local_aws.sagemaker.jobs.failures import JobFailedError
from local_aws.sagemaker.jobs.run import POLL_S, JobRun
from local_aws.sagemaker.protocol.errors import ServiceError
from local_aws.sagemaker.tuning import requests, trials
from local_aws.sagemaker.tuning.ranges import read_ranges
from local_aws.sagemaker.tuning.requests import TRIALS

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.jobs.kinds import JobKind
    from local_aws.sagemaker.store import Store
    from local_aws.sagemaker.training.operations import TrainingJobs
    from local_aws.sagemaker.tuning.search import Search

log = logging.getLogger(__name__)


class TuningRun(JobRun):
    """A thread that starts training jobs, reads their objectives, and chooses the next hyperparameters."""

    def __init__(self, job: Document, *, kind: JobKind, store: Store, training: TrainingJobs) -> None:
        """`training` starts, describes and stops the training jobs."""
        super().__init__(job, kind=kind, store=store)
        config = job["HyperParameterTuningJobConfig"]
        self._training = training
        self._config = config
        self._objective = config["HyperParameterTuningJobObjective"]
        self._maximize = self._objective["Type"] == "Maximize"
        self._values: dict[str, list[float]] = {}
        self._told: set[str] = set()
        self._failure: str | None = None

    def _work(self) -> None:
        search = self._new_search()
        while not self._closing:
            found = summaries(self._job, training=self._training)
            self._write_down(found)
            self._tell(search, found)
            running = [trial for trial in found if trial["ObjectiveStatus"] == "Pending"]
            if self._is_over(found):
                self._stop_all(running)
                if not running:
                    break
            else:
                self._stop_those_that_lag(running)
                self._start_trials(search, running=len(running))
            time.sleep(POLL_S)
        if self._failure:
            raise JobFailedError(self._failure)

    def _kill(self) -> None:
        """Do nothing: the training jobs end with the server."""

    def _clean_up(self) -> None:
        """End the training jobs, whatever ended the tuning job."""
        if not self._closing:
            found = summaries(self._job, training=self._training)
            self._stop_all([trial for trial in found if trial["ObjectiveStatus"] == "Pending"])

    def _end(self, job: Document, reason: str, *, now: float) -> None:
        if self._closing:  # the next server continues
            return
        job["ConsumedResources"] = {"RuntimeInSeconds": max(1, round(now - job["CreationTime"]))}
        super()._end(job, reason, now=now)

    def _new_search(self) -> Search:
        from local_aws.sagemaker.tuning.search import (
            Search,
        )  # imported here because Optuna takes half a second

        ranges = read_ranges(self._config["ParameterRanges"])
        return Search(
            ranges, strategy=self._config["Strategy"], maximize=self._maximize, seed=self._config.get("RandomSeed")
        )

    def _write_down(self, found: list[Document]) -> None:
        best = trials.best(found, maximize=self._maximize)
        count = trials.not_improving(found, maximize=self._maximize)
        shown: Document = trials.counters(found)
        shown["TuningJobCompletionDetails"] = {"NumberOfTrainingJobsObjectiveNotImproving": count}
        if best is not None:
            shown["BestTrainingJob"] = best
        if any(self._job.get(member) != value for member, value in shown.items()):
            self._change(lambda job: job.update(shown, LastModifiedTime=time.time()))

    def _tell(self, search: Search, found: list[Document]) -> None:
        metric = self._objective["MetricName"]
        for trial in found:
            name = trial["TrainingJobName"]
            values = self._training.metric_values(name, metric)
            if len(values) > len(self._values.get(name, [])):
                self._values[name] = values
            if trial["ObjectiveStatus"] != "Pending" and name not in self._told:
                self._told.add(name)
                search.tell(name, trial["TunedHyperParameters"], objective=trials.value_of(trial))
                self._keep_values(name)

    def _keep_values(self, name: str) -> None:
        """Store the objective after each epoch, which early stopping needs after a restart too."""
        values = self._values.get(name)

        def keep(job: Document) -> None:
            for trial in job[TRIALS]:
                if trial["Name"] == name and values:
                    trial["Values"] = values

        self._change(keep)

    def _is_over(self, found: list[Document]) -> bool:
        """Return whether no more training jobs are to start, and store the reason."""
        limits = self._config["ResourceLimits"]
        most = limits["MaxNumberOfTrainingJobs"]
        if self._must_stop():  # a job that is stopped does not fail because its training jobs had no time for a metric
            return True
        self._failure = self._failure or trials.failure(found, most=most)
        if self._failure:
            return True
        time_is_up = time.time() >= self._job["CreationTime"] + limits.get("MaxRuntimeInSeconds", float("inf"))
        criteria = self._config.get("TuningJobCompletionCriteria", {})
        if time_is_up or trials.is_complete(found, criteria=criteria, maximize=self._maximize):
            return True
        launched = self._job[TRIALS]
        all_started = len(launched) >= most and all(trial["Started"] for trial in launched)
        return all_started and all(trial["ObjectiveStatus"] != "Pending" for trial in found)

    def _stop_all(self, running: list[Document]) -> None:
        for trial in running:
            self._stop_trial(trial["TrainingJobName"])

    def _stop_those_that_lag(self, running: list[Document]) -> None:
        if self._config.get("TrainingJobEarlyStoppingType", "Off") != "Auto":
            return
        names = {trial["TrainingJobName"] for trial in running}
        earlier = [trial["Values"] for trial in self._job[TRIALS] if "Values" in trial and trial["Name"] not in names]
        for name in names:
            if trials.lags_behind(self._values.get(name, []), earlier=earlier, maximize=self._maximize):
                log.info("Tuning job %s stops the training job %s early", self._name, name)
                self._stop_trial(name)

    def _stop_trial(self, name: str) -> None:
        try:
            self._training.stop_training_job({"TrainingJobName": name})
        except ServiceError as error:  # it ended a moment ago
            log.debug("Training job %s: %s", name, error)

    def _start_trials(self, search: Search, *, running: int) -> None:
        """Start as many training jobs as may run at once.

        A trial is in the store before its training job is: so none is started twice after a kill.
        """
        limits = self._config["ResourceLimits"]
        for trial in [trial for trial in self._job[TRIALS] if not trial["Started"]]:
            if not self._start_trial(trial):
                return
            running += 1
        while (
            running < limits["MaxParallelTrainingJobs"] and len(self._job[TRIALS]) < limits["MaxNumberOfTrainingJobs"]
        ):
            name = requests.training_job_name(self._name, number=len(self._job[TRIALS]) + 1)
            trial = {"Name": name, "TunedHyperParameters": search.ask(name), "Started": False}
            self._change(lambda job, new=trial: job[TRIALS].append(new))  # type: ignore[misc]
            if not self._start_trial(trial):
                return
            running += 1

    def _start_trial(self, trial: Document) -> bool:
        """Start one training job; return False if the quota allows none now.

        Raises:
            JobFailedError: it is refused for another reason.

        """
        name, arn = trial["Name"], self._job["HyperParameterTuningJobArn"]
        tags = [{"Key": key, "Value": value} for key, value in self._store.tags(arn).items()]
        request = requests.training_request(self._job, name=name, tuned=trial["TunedHyperParameters"], tags=tags)
        existing = self._training.find(name)
        if existing is None:
            try:
                self._training.start(request, tuning_job_arn=arn)
            except ServiceError as error:
                if error.code == "ResourceLimitExceeded":
                    return False
                raise JobFailedError(f"ClientError: Training job {name} cannot be started: {error.message}") from error
        elif existing.get("TuningJobArn") != arn:
            raise JobFailedError(f"ClientError: Training job {name} exists, and is not one of this tuning job.")

        def started(job: Document) -> None:
            for item in job[TRIALS]:
                item["Started"] = item["Started"] or item["Name"] == name

        self._change(started)
        return True


def summaries(job: Document, *, training: TrainingJobs) -> list[Document]:
    """Return the training jobs so far, as ListTrainingJobsForHyperParameterTuningJob shows them."""
    objective, found = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"], []
    for trial in job[TRIALS]:
        training_job = training.find(trial["Name"]) if trial["Started"] else None
        if training_job is not None:  # it may have been deleted
            found.append(trials.summary(training_job, tuned=trial["TunedHyperParameters"], objective=objective))
    return found
