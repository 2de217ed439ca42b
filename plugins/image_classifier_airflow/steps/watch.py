"""Implements the watch Dag's tasks: orphaned jobs, unwanted endpoints, the failure queue, a classifier's checks."""

import logging
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from image_classifier.aws.jobs.owners import Owner
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.contracts.errors import ClassifierFileError, WatchFindingsError
from image_classifier_airflow.classifiers import train_and_deploy_dag_id
from image_classifier_airflow.steps import clients
from image_classifier_airflow.task_states import ACTIVE, FINISHED, runs_at_work, states_of_run

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

    from image_classifier.watch.orphaned_jobs import TaskStatus

log = logging.getLogger(__name__)

DEFAULT_CONNECTION = "aws_default"
ROLL_BACK = "image_classifier_roll_back"
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
    return [
        job
        for conn in _connections()
        for job in orphaned_jobs.stop_orphaned_jobs(clients.sagemaker(conn), bucket=bucket, status_of=status_of)
    ]


def check_endpoints_wanted() -> None:
    """Fail while an endpoint exists that no classifier file describes; an unreadable file still describes its own."""
    from image_classifier.watch import unused_endpoints

    names = [file.stem for file in classifier_files(classifier_folders())]
    bucket = Settings.from_env().bucket
    for conn in _connections():
        unused_endpoints.check_endpoints_wanted(clients.sagemaker(conn), bucket=bucket, classifiers=names)


def drain_failure_queue() -> dict[str, int]:
    """Handle every message of the failure queue: replay its images, or write failed records with the reason.

    Raises:
        WatchFindingsError: a message cannot be read; it stays in the queue.

    """
    from image_classifier.watch.failure_queue import FailureQueue

    settings, conn, is_over = Settings.from_env(), DEFAULT_CONNECTION, _time_limit()
    sqs = clients.sqs(conn)
    url = sqs.get_queue_url(QueueName=settings.failure_queue_arn.rpartition(":")[2])["QueueUrl"]
    queue = FailureQueue(sqs, clients.functions(conn), clients.s3(conn), url=url, bucket=settings.bucket)
    drained = queue.drain(is_over=is_over)
    if drained.unreadable:
        message = (
            f"{len(drained.unreadable)} message(s) of the failure queue {settings.failure_queue_arn} cannot be read "
            f"and stay there; look at them, then delete them: {'; '.join(drained.unreadable[:3])}"
        )
        raise WatchFindingsError(message)
    return {"replayed": drained.replayed, "given_up": drained.given_up, "obsolete": drained.obsolete}


def classifiers() -> list[str]:
    """Return the names of the classifiers with valid files, one mapped task for each."""
    return [classifier.name for classifier in _readable()]


def watch_classifier(name: str, params: Mapping[str, Any], ti: "RuntimeTaskInstanceProtocol") -> None:
    """Run every check of one classifier, restore changed resources, and fail if a finding is open.

    Raises:
        WatchFindingsError: findings are open; the message names them.

    """
    from image_classifier.classify_existing.records import Target
    from image_classifier.watch.classifier_watch import Watch

    [classifier] = [known for known in _readable() if known.name == name]
    changing = (train_and_deploy_dag_id(name), ROLL_BACK)
    active = sum(runs_at_work(ti, dag_id=dag_id) for dag_id in changing)
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
    findings, new = watch.run()
    if new:
        _notify(classifier, [findings[finding] for finding in new], ti=ti)
    if findings:
        raise WatchFindingsError(f"Classifier {name}: {' '.join(findings.values())}")


def runs_for_corrections(ti: "RuntimeTaskInstanceProtocol") -> list[dict[str, Any]]:
    """Return the runs to start after enough corrections, as arguments of TriggerDagRunOperator."""
    from image_classifier.corrections import due

    starting = []
    for classifier in _readable():
        if classifier.retrain_after_corrections is None:
            continue
        dag_id = train_and_deploy_dag_id(classifier.name)
        if ti.get_dr_count(dag_id=dag_id, states=ACTIVE):
            continue  # the active run may use them
        found = due.corrections_due(
            clients.s3(classifier.aws_conn_id),
            clients.sagemaker(classifier.aws_conn_id),
            classifier=classifier.name,
            bucket=Settings.from_env().bucket,
            wanted=classifier.retrain_after_corrections,
            accepted_classes=classifier.accepted_classes,
        )
        if found:
            log.info("%s: %d corrections since its model was trained start a run", classifier.name, found.count)
            starting.append({"trigger_dag_id": dag_id, "trigger_run_id": f"corrections__{found.until}"})
    return starting


def _notify(classifier: Classifier, sentences: list[str], *, ti: Any) -> None:
    """Send the findings that no earlier run has sent."""
    from image_classifier_airflow.notifications.messages import found
    from image_classifier_airflow.notifications.send import send

    message = found(classifier.name, dag_id=ti.dag_id, run_id=ti.run_id, sentences=sentences, url=ti.log_url)
    send(message, classifier=classifier)


def _time_limit() -> Any:
    end = time.monotonic() + TIME_LIMIT_S
    return lambda: time.monotonic() > end


def _connections() -> list[str]:
    """Return every connection that a classifier uses, and the default one for deleted classifier files."""
    return sorted({DEFAULT_CONNECTION, *(classifier.aws_conn_id for classifier in _readable())})


def _readable() -> Iterator[Classifier]:
    for file in classifier_files(classifier_folders()):
        try:
            yield Classifier.from_file(file)
        except ClassifierFileError as error:
            log.warning("%s is left out: %s", file, error)  # Airflow shows it as a separate import error
