"""Implements the watch Dag's tasks: orphaned jobs, unwanted endpoints, the failure queue, a classifier's checks."""

import functools
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.aws.jobs.owners import Owner
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.contracts.errors import ClassifierFileError, ImageClassifierError, WatchFindingsError
from image_classifier_airflow.classifiers import train_and_deploy_dag_id
from image_classifier_airflow.steps import clients
from image_classifier_airflow.task_states import ACTIVE, FINISHED, runs_at_work, states_of_run

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

    from image_classifier.aws.clients import Clients
    from image_classifier.watch.orphaned_jobs import TaskStatus

log = logging.getLogger(__name__)

DEFAULT_CONNECTION = "aws_default"
Result = TypeVar("Result")
CHECK_ERRORS = (ImageClassifierError, AirflowException, BotoCoreError, ClientError)
CHANGING_ALL = ("image_classifier_roll_back", "image_classifier_teardown")  # Dags that change any classifier
RUN_FOR_CORRECTIONS = "corrections__"  # begins the id of such a run, before the time of its newest correction
TIME_LIMIT_S = 6 * 60  # the time of one task; the next run continues


def stop_orphaned_jobs(ti: "RuntimeTaskInstanceProtocol") -> list[str]:
    """Stop SageMaker jobs whose task has ended; return their names. The task's log has the reasons."""
    from image_classifier.watch import orphaned_jobs

    def status_of(owner: Owner) -> "TaskStatus":
        states = states_of_run(ti, dag_id=owner.dag_id, run_id=owner.run_id)
        if owner.task not in states:
            return "unknown"
        return "over" if states[owner.task] in FINISHED else "wanted"

    bucket = Settings.from_env().bucket
    found = _for_each_connection(
        lambda conn: orphaned_jobs.stop_orphaned_jobs(clients.sagemaker(conn), bucket=bucket, status_of=status_of)
    )
    return [job for jobs in found for job in jobs]


def check_endpoints_wanted() -> None:
    """Fail while an endpoint exists that no classifier file describes; an unreadable file still describes its own."""
    from image_classifier.watch import unused_endpoints

    names = [file.stem for file in classifier_files(classifier_folders())]
    bucket = Settings.from_env().bucket
    _for_each_connection(
        lambda conn: unused_endpoints.check_endpoints_wanted(clients.sagemaker(conn), bucket=bucket, classifiers=names)
    )


def drain_failure_queue() -> dict[str, int]:
    """Handle every message of the failure queue: replay its images, or write failed records with the reason.

    Raises:
        WatchFindingsError: messages stay in the queue: they cannot be read, or AWS refused to handle their images.

    """
    from image_classifier.watch.failure_queue import FailureQueue

    settings, conn, is_over = Settings.from_env(), DEFAULT_CONNECTION, _time_limit()
    sqs = clients.sqs(conn)
    url = sqs.get_queue_url(QueueName=settings.failure_queue_arn.rpartition(":")[2])["QueueUrl"]
    queue = FailureQueue(sqs, clients.functions(conn), clients.s3(conn), url=url, bucket=settings.bucket)
    drained = queue.drain(is_over=is_over)
    stay = _named(drained.unreadable, advice="are no failed events of ours: look at them, then delete them")
    stay += _named(drained.unhandled, advice="could not be handled, which the next run tries again")
    if stay:
        raise WatchFindingsError(f"Messages stay in the failure queue {settings.failure_queue_arn}: {' '.join(stay)}")
    return {"replayed": drained.replayed, "given_up": drained.given_up, "obsolete": drained.obsolete}


def _named(messages: Mapping[str, str], *, advice: str) -> list[str]:
    """Return one sentence with the number of messages, the advice and the first three; none without messages."""
    first = "; ".join(f"{name}: {why}" for name, why in list(messages.items())[:3])
    return [f"{len(messages)} {advice} ({first})."] if messages else []


def classifiers() -> list[str]:
    """Return the names of the classifiers with valid files, one mapped task for each."""
    return list(dict.fromkeys(classifier.name for classifier in _readable()))


def watch_classifier(name: str, params: Mapping[str, Any], ti: "RuntimeTaskInstanceProtocol") -> None:
    """Run every check of one classifier, restore changed resources, and fail if a finding is open.

    Raises:
        WatchFindingsError: findings are open; the message names them.

    """
    from image_classifier.classify_existing.records import Target
    from image_classifier.watch.classifier_watch import Watch

    classifier = _named_classifier(name)
    active = sum(runs_at_work(ti, dag_id=dag_id) for dag_id in (train_and_deploy_dag_id(name), *CHANGING_ALL))
    watch = Watch(
        clients.of_a_classifier(classifier.aws_conn_id),
        Target(name, Settings.from_env().bucket),
        reaction=classifier.watch,
        is_over=_time_limit(),
        may_compare=active == 0,
        is_paused=classifier.trigger == "paused",
        grace=timedelta(seconds=params["grace_s"]),
        floor=classifier.promotion.floors.accuracy,
        canary_s=classifier.canary_s,
    )
    findings = watch.run(tell=lambda sentences: _notify(classifier, sentences, ti=ti))
    if findings:
        raise WatchFindingsError(f"Classifier {name}: {' '.join(findings.values())}")


def runs_for_corrections(ti: "RuntimeTaskInstanceProtocol") -> list[dict[str, Any]]:
    """Return the runs to start after enough corrections, as arguments of TriggerDagRunOperator.

    A classifier whose corrections cannot be read does not keep those of others from starting runs.

    Raises:
        WatchFindingsError: corrections cannot be read, and no run is to start.

    """
    starting, problems = list[dict[str, Any]](), list[str]()
    connected = functools.cache(clients.of_a_classifier)  # many classifiers have the same connection
    for classifier in _readable():
        try:
            starting += _run_for_corrections(classifier, ti=ti, connected=connected)
        except CHECK_ERRORS as error:
            log.exception("The corrections of %s cannot be counted", classifier.name)
            problems.append(f"{classifier.name}: {error}")
    if problems and not starting:
        raise WatchFindingsError(f"Corrections cannot be counted. {'; '.join(problems)}")
    return starting


def _run_for_corrections(
    classifier: Classifier, *, ti: "RuntimeTaskInstanceProtocol", connected: "Callable[[str], Clients]"
) -> list[dict[str, Any]]:
    """Return the run of one classifier, or an empty list."""
    from image_classifier.corrections import due

    dag_id = train_and_deploy_dag_id(classifier.name)
    if classifier.retrain_after_corrections is None or ti.get_dr_count(dag_id=dag_id, states=ACTIVE):
        return []  # an active run may use them
    found = due.corrections_due(
        connected(classifier.aws_conn_id).s3,
        connected(classifier.aws_conn_id).sagemaker,
        classifier=classifier.name,
        bucket=Settings.from_env().bucket,
        wanted=classifier.retrain_after_corrections,
        accepted_classes=classifier.accepted_classes,
        renamed=classifier.renamed_classes,
    )
    if not found:
        return []
    log.info("%s: %d corrections since its model was trained start a run", classifier.name, found.count)
    return [{"trigger_dag_id": dag_id, "trigger_run_id": f"{RUN_FOR_CORRECTIONS}{found.until}"}]


def remember_run(context: Mapping[str, Any]) -> None:
    """Store which corrections a run was started for: a callback, since the task that starts it may fail."""
    from image_classifier.corrections import due

    started = context["task"]
    classifier = _named_classifier(started.trigger_dag_id.removesuffix(train_and_deploy_dag_id("")))
    due.remember(
        clients.s3(classifier.aws_conn_id),
        classifier=classifier.name,
        bucket=Settings.from_env().bucket,
        until=started.trigger_run_id.removeprefix(RUN_FOR_CORRECTIONS),
    )


def _notify(classifier: Classifier, sentences: Sequence[str], *, ti: Any) -> bool:
    """Send the findings that no earlier run has sent; return whether one of the channels took them."""
    from image_classifier_airflow.notifications.messages import found
    from image_classifier_airflow.notifications.send import send

    message = found(classifier.name, dag_id=ti.dag_id, run_id=ti.run_id, sentences=sentences, url=ti.log_url)
    return send(message, classifier=classifier)


def _time_limit() -> Any:
    end = time.monotonic() + TIME_LIMIT_S
    return lambda: time.monotonic() > end


def _for_each_connection(call: Callable[[str], Result]) -> list[Result]:
    """Return the results for every connection that a classifier uses, and for the default one; raise the first error.

    The error of one connection does not keep the others from being checked. The default one has the resources of
    deleted classifier files.
    """
    results, errors = list[Result](), list[Exception]()
    for conn in sorted({DEFAULT_CONNECTION, *(classifier.aws_conn_id for classifier in _readable())}):
        try:
            results.append(call(conn))
        except CHECK_ERRORS as error:
            log.exception("The check by the connection %s failed", conn)
            errors.append(error)
    if errors:
        raise errors[0]
    return results


def _named_classifier(name: str) -> Classifier:
    """Read one classifier's file, and no other: there are as many tasks as classifiers."""
    for file in classifier_files(classifier_folders()):
        if file.stem == name:
            return Classifier.from_file(file)
    raise ClassifierFileError(f"The file of the classifier {name} was deleted after this run had started.")


def _readable() -> Iterator[Classifier]:
    for file in classifier_files(classifier_folders()):
        try:
            yield Classifier.from_file(file)
        except ClassifierFileError as error:
            log.warning("%s is left out: %s", file, error)  # Airflow shows it as a separate import error
