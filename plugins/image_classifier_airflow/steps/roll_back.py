"""Implements the tasks of the Dag that deploys an earlier model again."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import Keys, model_package_group_name
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import ClassifierFileError, DatasetError, ObjectGoneError, ResourceBusyError
from image_classifier_airflow.assets import announce_endpoint
from image_classifier_airflow.classifiers import train_and_deploy_dag_id
from image_classifier_airflow.steps import clients
from image_classifier_airflow.steps.classify_existing import classifier_of
from image_classifier_airflow.steps.deployment import deployment_requests
from image_classifier_airflow.task_states import runs_at_work

if TYPE_CHECKING:
    from image_classifier.connect.deployment import Deployment
    from image_classifier.promote.registry import Version

log = logging.getLogger(__name__)

Params = Mapping[str, Any]
Json = dict[str, Any]


def plan(params: Params, ti: Any) -> Json:
    """Find the version to go back to, and return the requests that deploy it; nothing is changed.

    Returns:
        A dict of the requests ``model``, ``endpoint_config`` and ``endpoint``; the ``function``'s configuration;
        ``sample``, the image with which the endpoint is invoked; ``training_job`` and ``version`` (an ARN) of the
        model; ``left``, the ARNs of the versions to go back from, and ``went_back_from``, their training job;
        ``went_back_in``, the run's id; ``aws_conn_id``.

    Raises:
        ClassifierFileError: there is no such classifier, deployment or version.
        ObjectGoneError: the model's artifact or its model.json was deleted.
        ResourceBusyError: a run of the classifier's own Dag is active.

    """
    from image_classifier.connect.deployment import read_deployment
    from image_classifier.promote import registry

    classifier, settings = classifier_of(params["classifier"]), Settings.from_env()
    if runs_at_work(ti, dag_id=train_and_deploy_dag_id(classifier.name)):
        message = f"A run of {train_and_deploy_dag_id(classifier.name)} is active; go back once it has ended."
        raise ResourceBusyError(message)
    s3, sagemaker = clients.s3(classifier.aws_conn_id), clients.sagemaker(classifier.aws_conn_id)
    deployment = read_deployment(s3, bucket=settings.bucket, classifier=classifier.name)
    if deployment is None:
        message = (
            f"No deployment of {classifier.name} is recorded; run {train_and_deploy_dag_id(classifier.name)} first."
        )
        raise ClassifierFileError(message)
    known = registry.versions(sagemaker, group=model_package_group_name(classifier.name))
    if deployment.went_back_in == ti.run_id:  # the run was cleared as a whole: it goes to the same model again
        wanted, serving = deployment.training_job, deployment.went_back_from
    else:
        wanted = (params["version"] or "").strip()
        serving = _to_leave(deployment, known, wanted=wanted)
    version = registry.version_to_return_to(known, wanted=wanted, serving=serving)
    model = registry.trained_model(sagemaker, version)
    left = [one.arn for one in known if one.training_job == serving]
    log.info("%s goes back from %s to version %d, %s", classifier.name, serving, version.number, version.training_job)
    return {
        **_requests(classifier, settings, model=model, s3=s3),
        "training_job": model.training_job,
        "version": version.arn,
        "left": left,
        "went_back_from": serving,
        "went_back_in": ti.run_id,
        "aws_conn_id": classifier.aws_conn_id,
    }


def record_deployment(function: Json, plan: Json, params: Params, outlet_events: Any = None) -> str:
    """Store the record of the present deployment, with which the watch Dag compares AWS; return its key."""
    from image_classifier.connect.deployment import deployment_of, read_deployment, write_deployment

    classifier, bucket = classifier_of(params["classifier"]), Settings.from_env().bucket
    s3 = clients.s3(classifier.aws_conn_id)
    deployment = deployment_of(
        classifier,
        bucket=bucket,
        training_job=plan["training_job"],
        endpoint_config=plan["endpoint_config"],
        function=function,
        usd_per_hour=clients.hosting_price(classifier.aws_conn_id),
    )
    deployment = deployment.model_copy(update={name: plan.get(name, "") for name in ("went_back_from", "went_back_in")})
    before = read_deployment(s3, bucket=bucket, classifier=classifier.name)
    if before is not None:  # this Dag sets no trigger, whatever the file says by now
        deployment = deployment.model_copy(
            update={"trigger_mode": before.trigger_mode, "resumed_at": before.resumed_at}
        )
    key = write_deployment(s3, deployment)
    announce_endpoint(outlet_events, classifier, deployment)
    return key


def mark_versions(plan: Json, params: Params) -> None:
    """Approve the version that is live now, and reject the one before, with the reason."""
    from image_classifier.promote import registry

    sagemaker = clients.sagemaker(plan["aws_conn_id"])
    reason = (params["reason"] or "").strip() or "no reason was given"
    registry.set_approval(sagemaker, plan["version"], status="Approved", why="A person went back to this model.")
    for arn in plan["left"]:
        registry.set_approval(sagemaker, arn, status="Rejected", why=f"{registry.LEFT}{reason}")


def _to_leave(deployment: "Deployment", known: "Sequence[Version]", *, wanted: str) -> str:
    """Return the training job of the model to go back from: the live one, or that of a run which did not mark it.

    Without the mark, which is a run's last task, that version is still approved, and a run that is cleared as a whole
    would deploy it again.
    """
    before = deployment.went_back_from
    unmarked = [one for one in known if before and one.training_job == before and one.approval != "Rejected"]
    is_asked_for = any(wanted in (str(one.number), one.training_job) for one in unmarked)
    return before if unmarked and not is_asked_for else deployment.training_job


def _requests(classifier: Classifier, settings: Settings, *, model: Any, s3: Any) -> Json:
    requests = deployment_requests(
        classifier,
        settings,
        training_job=model.training_job,
        model_artifact=model.artifact,
        image=model.image,
    )
    return {**requests, "sample": _sample(classifier, settings, model=model, s3=s3)}


def _sample(classifier: Classifier, settings: Settings, *, model: Any, s3: Any) -> Json:
    """Return a prepared image for invoking the endpoint, and the number of the model's classes."""
    from image_classifier.aws.s3 import object_exists
    from image_classifier.deploy.model_file import read_labels

    keys, bucket = Keys(classifier.name), settings.bucket
    described = keys.model_file(model.training_job)
    for key in (described, model.artifact.removeprefix(f"s3://{bucket}/")):
        if not object_exists(s3, bucket=bucket, key=key):
            message = (
                f"s3://{bucket}/{key} is not there, and {model.training_job} cannot serve without it. A run of the "
                "classifier's Dag with the same images and settings makes it again; if a person rejected the model, "
                "set promote_version."
            )
            raise ObjectGoneError(message)
    labels = read_labels(s3, bucket=bucket, key=described)
    images = s3.list_objects_v2(Bucket=bucket, Prefix=keys.split("validation"), MaxKeys=1).get("Contents", [])
    if not images:
        message = (
            f"s3://{bucket}/{keys.split('validation')} holds no image to ask the endpoint about; run the Dag once."
        )
        raise DatasetError(message)
    return {"bucket": bucket, "key": images[0]["Key"], "num_classes": len(labels)}
