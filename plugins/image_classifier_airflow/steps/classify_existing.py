"""Implements the tasks of the Dag that classifies images which are in the bucket already."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier_airflow.steps import clients

if TYPE_CHECKING:
    from image_classifier.classify_existing.batch import Batch
    from image_classifier.classify_existing.run import Request

Params = Mapping[str, Any]
Json = dict[str, Any]


def plan(params: Params, dag_run: Any) -> Json:
    """Count the images, check the cost, and decide how they are classified; only the batch is stored.

    Returns:
        A dict of ``shares``, the numbers of the tasks that use the endpoint; ``transform_shares``, those of the tasks
        that prepare images for a transform job and write its records; ``batch``; ``started`` (ISO 8601), which the
        later tasks use, because Airflow starts a finished run anew if one of its tasks is cleared; ``kept_at``, the key
        of the batch; ``aws_conn_id``. One list is empty. A run that is cleared as a whole goes on with its batch.

    Raises:
        ClassifierFileError: there is no classifier file of that name.
        BudgetError: the images may cost more than the run or the file allows.
        ResourceBusyError: a transform job is due, and a deployment is under way.

    """
    from image_classifier.classify_existing import batch as batches
    from image_classifier.classify_existing import kept_batches
    from image_classifier.classify_existing.run import check_budget, count

    classifier = classifier_of(params["classifier"])
    limits = [limit for limit in (params["max_cost_usd"], classifier.max_cost_usd) if limit is not None]
    most, request, conn = (
        min(limits, default=None),
        _request(params, started=dag_run.start_date),
        classifier.aws_conn_id,
    )
    key = kept_batches.key_of_run(request, dag_id=dag_run.dag_id, run_id=dag_run.run_id)
    begun = kept_batches.find(clients.of_a_classifier(conn), bucket=request.target.bucket, key=key)
    if begun is not None:
        return _plan_of(begun, key=key, conn=conn)
    number = count(clients.s3(conn), request)
    shares = list(range(min(params["tasks"], number)))
    if number <= params["transform_above"]:
        check_budget(number, max_cost_usd=most)
        planned: Json = {"shares": shares, "transform_shares": [], "batch": {}, "kept_at": "", "aws_conn_id": conn}
        return {**planned, "started": request.started.isoformat()}
    price = clients.hosting_price(conn)(classifier.evaluation.instance_type)
    batches.check_budget(number, classifier, usd_per_hour=price, max_cost_usd=most)
    batch = batches.plan_batch(
        clients.of_a_classifier(conn), request.target, started_ms=request.started_ms, shares=len(shares)
    )
    kept_batches.keep(clients.s3(conn), batch, key=key)
    return _plan_of(batch, key=key, conn=conn)


def endpoint_shares(shares: list[int]) -> list[int]:
    """Return the shares that are classified through the endpoint: Airflow maps tasks over a task's whole result."""
    return shares


def transform_shares(shares: list[int]) -> list[int]:
    """Return the shares that are classified by a transform job."""
    return shares


def classify(share: int, params: Params, ti: Any) -> dict[str, int]:
    """Classify one share of the images; return their number.

    Raises:
        PredictionError: images failed; the message names the first ones.

    """
    from image_classifier.classify_existing.run import classify_share

    conn = classifier_of(params["classifier"]).aws_conn_id
    done = classify_share(
        clients.functions(conn),
        clients.s3(conn),
        _planned_request(params, ti),
        share=share,
        shares=len(_planned(ti, "shares")),
        concurrency=params["concurrency"],
    )
    return {"classified": done.classified}


def prepare_images(share: int, params: Params, ti: Any) -> int:
    """Prepare one share of the images for the transform job; returns their number."""
    from image_classifier.classify_existing.batch_images import prepare_share

    conn = classifier_of(params["classifier"]).aws_conn_id
    return prepare_share(clients.s3(conn), _batch(ti), _planned_request(params, ti), share=share)


def plan_transform(params: Params, ti: Any) -> Json:
    """Write the manifest of all prepared images; return the transform operator's config, empty without images."""
    from image_classifier.classify_existing.batch import batch_request

    classifier = classifier_of(params["classifier"])
    return batch_request(clients.s3(classifier.aws_conn_id), _batch(ti), classifier)


def write_records(share: int, params: Params, ti: Any) -> int:
    """Write the records of one share from the answers; return the number of its images.

    Raises:
        PredictionError: the job gave no answer for some images; names the first ones.

    """
    from image_classifier.classify_existing import batch_records

    conn = classifier_of(params["classifier"]).aws_conn_id
    generation = _planned_request(params, ti).generation
    return batch_records.write_records(clients.s3(conn), _batch(ti), share=share, generation=generation)


def delete_prepared_images(params: Params, ti: Any) -> int:
    """Delete the batch's own objects; return their number."""
    from image_classifier.classify_existing.kept_batches import forget

    s3 = clients.s3(classifier_of(params["classifier"]).aws_conn_id)
    return forget(s3, _batch(ti), key=_planned(ti, "kept_at"))


def _plan_of(batch: "Batch", *, key: str, conn: str) -> Json:
    """Return the plan for a transform job."""
    return {
        "shares": [],
        "transform_shares": list(range(batch.shares)),
        "batch": batch.model_dump(),
        "started": batch.started.isoformat(),
        "kept_at": key,
        "aws_conn_id": conn,
    }


def _batch(ti: Any) -> "Batch":
    from image_classifier.classify_existing.batch import Batch

    return Batch.model_validate(_planned(ti, "batch"))


def _planned_request(params: Params, ti: Any) -> "Request":
    """Return the request of the run's plan."""
    return _request(params, started=datetime.fromisoformat(_planned(ti, "started")))


def _planned(ti: Any, key: str) -> Any:
    return ti.xcom_pull(task_ids="plan", key=key, map_indexes=-1)


def _request(params: Params, *, started: datetime) -> "Request":
    from image_classifier.classify_existing.records import Target
    from image_classifier.classify_existing.run import Request

    target = Target(params["classifier"], Settings.from_env().bucket)
    return Request(target, prefix=params["prefix"] or "", again=params["again"], started=started)


def classifier_of(name: str) -> Classifier:
    """Return the classifier of that name.

    Raises:
        ClassifierFileError: the file does not exist, or it cannot be used.

    """
    files = {file.stem: file for file in classifier_files(classifier_folders())}
    if name not in files:
        raise ClassifierFileError(f"There is no classifier file {name}.yaml; there are {', '.join(sorted(files))}.")
    return Classifier.from_file(files[name])
