"""Compares AWS with what a run would create, and returns the differences as a plan; it only reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from image_classifier.aws import client_errors as refusals
from image_classifier.aws.clients import Clients
from image_classifier.aws.names import Keys, endpoint_name, function_name
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.connect import notification
from image_classifier.connect.function_configuration import function_configuration
from image_classifier.connect.function_versions import ALIAS
from image_classifier.connect.trigger import upload_trigger
from image_classifier.deploy import endpoint as endpoints
from image_classifier.deploy.endpoint_config import endpoint_config_request
from image_classifier.deploy.model import model_request
from image_classifier.deploy.serving import serving_model
from image_classifier.evaluate.report.can_show import what_it_can_show
from image_classifier.evaluate.trials.choice import stored_tuning
from image_classifier.plan.job_lines import (
    advice_on,
    evaluation_line,
    most_of_a_run,
    training_line,
    trials_line,
    tuning_line,
)
from image_classifier.plan.plan import BY_USE, FREE, HOURS_A_DAY, HOURS_A_MONTH, Cost, Line, Plan
from image_classifier.plan.preflight import check_deployment
from image_classifier.plan.prices import PriceBook
from image_classifier.prepare.dataset import count_unread, plan_dataset
from image_classifier.prepare.prepared import PreparedDataset
from image_classifier.train import attempts, job_request
from image_classifier.train.start_from import from_champion
from image_classifier.train.tuning import tuning_jobs
from image_classifier.train.tuning.request import tuning_job_request


@dataclass(frozen=True)
class PlanOptions:
    """The params of a run that matter for a plan, and the function's code.

    Attributes:
        reset_labels: number the classes anew.
        only_of_run: the ids of a Dag and a run, if the run must have its own training job.
        code_sha256: SHA-256 of the function's zip in Base64, as Lambda gives it.

    """

    code_sha256: str
    reset_labels: bool = False
    only_of_run: tuple[str, str] | None = None


def build_plan(
    classifier: Classifier,
    *,
    clients: Clients,
    settings: Settings,
    prices: PriceBook,
    options: PlanOptions,
) -> Plan:
    """Return what a run of `classifier` would create and change, and the maximum cost.

    Raises:
        SettingsError: the bucket cannot be reached, or the algorithm is not available in the region.
        ResourceClashError: another deployment has a classifier of this name.
        DatasetError: the images cannot be trained on.
        HyperparameterError: the algorithm would refuse the hyperparameters for these images.
        TrainingError: another attempt at the training job would fail as the last one did.

    """
    check_deployment(clients, classifier=classifier, settings=settings, region=prices.region)
    if unread := _unread_by_instances(classifier, clients, settings):
        return _plan_of_unread(classifier, clients, settings, prices=prices, options=options, unread=unread)
    dataset = plan_dataset(classifier, s3=clients.s3, settings=settings, reset_labels=options.reset_labels)
    request = _training_request(classifier, clients, settings, dataset=dataset, region=prices.region)
    alternatives = job_request.alternative_requests(classifier, request)
    attempt = attempts.plan_attempt(
        clients.sagemaker,
        request,
        s3=clients.s3,
        alternatives=alternatives,
        accept_time_limit=classifier.training.accept_time_limit,
        only_of_run=options.only_of_run,
    )
    machines = (request, *alternatives)
    tuning, job = _tuning(
        classifier,
        clients,
        settings,
        training=machines,
        first=attempt.job_name,
        dataset=dataset,
        prices=prices,
        only_of_run=options.only_of_run,
    )
    hosted, endpoint_config = _hosting(classifier, clients, settings, request=attempt.request, job=job, prices=prices)
    lines = (
        _images(classifier, settings, dataset=dataset),
        training_line(attempt, machines, prices=prices),
        *tuning,
        evaluation_line(classifier, clients, settings, dataset=dataset, job=job, prices=prices),
        *hosted,
        _function(classifier, clients, settings, job=job, config=endpoint_config, options=options),
        _upload_trigger(classifier, clients, settings),
    )
    images = dataset.num_training_samples + dataset.num_validation_samples
    shown = what_it_can_show(dataset.num_test_samples, of_class={})
    return Plan(classifier.name, lines, shown, advice_on(classifier, images))


def _training_request(
    classifier: Classifier, clients: Clients, settings: Settings, *, dataset: PreparedDataset, region: str
) -> Mapping[str, Any]:
    request = job_request.training_job_request(classifier, settings=settings, region=region, dataset=dataset)
    if classifier.training.start_from != "champion":
        return request
    serving = serving_model(clients.sagemaker, classifier=classifier.name)
    champion = serving.training_job if serving else None
    return from_champion(clients.sagemaker, clients.s3, request, champion=champion).request


def _unread_by_instances(classifier: Classifier, clients: Clients, settings: Settings) -> int:
    """Return how many images a processing job would read; other runners read in the plan what they would prepare."""
    if classifier.preparation.runner != "processing":
        return 0
    return count_unread(classifier, s3=clients.s3, settings=settings)


def _plan_of_unread(
    classifier: Classifier,
    clients: Clients,
    settings: Settings,
    *,
    prices: PriceBook,
    options: PlanOptions,
    unread: int,
) -> Plan:
    """Return the plan of a run with new images: nobody knows before they are read which jobs it could reuse."""
    place = f"s3://{settings.bucket}/{Keys(classifier.name).dataset}"
    hosted, config = _hosting(classifier, clients, settings, request={}, job=None, prices=prices)
    lines = (
        Line("prepared images", place, f"{unread:,} to read", BY_USE),
        *most_of_a_run(classifier, prices),
        *hosted,
        _function(classifier, clients, settings, job=None, config=config, options=options),
        _upload_trigger(classifier, clients, settings),
    )
    return Plan(classifier.name, lines, advice=advice_on(classifier, unread))


def _tuning(
    classifier: Classifier,
    clients: Clients,
    settings: Settings,
    *,
    training: Sequence[Mapping[str, Any]],
    first: str,
    dataset: PreparedDataset,
    prices: PriceBook,
    only_of_run: tuple[str, str] | None,
) -> tuple[list[Line], str | None]:
    """Return (lines of the tuning job and of scoring its models, training job to evaluate or None if not yet chosen).

    Args:
        classifier: the classifier of the run.
        clients: the clients; they only read.
        settings: the deployment's settings, for the bucket.
        training: requests of the training job with the file's hyperparameters, and of its alternatives.
        first: name of that training job.
        dataset: the prepared images.
        prices: prices of the region.
        only_of_run: the ids of a Dag and a run, if the run must have its own jobs.

    """
    request = tuning_job_request(classifier, training=training[0], dataset=dataset)
    if request is None or classifier.tuning is None:
        return [], first
    attempt = tuning_jobs.plan_attempt(
        clients.sagemaker,
        request,
        s3=clients.s3,
        classifier=classifier.name,
        training_job=training[0]["TrainingJobName"],
        only_of_run=only_of_run,
    )
    where = {"classifier": classifier.name, "bucket": settings.bucket}
    figures = stored_tuning(clients.s3, **where, tuning_job=attempt.job_name) if attempt.action == "reuse" else None
    scored = trials_line(classifier, classifier.tuning, job=attempt.job_name, figures=figures, prices=prices)
    return [tuning_line(attempt, training, prices=prices), scored], figures.chosen if figures else None


def _images(classifier: Classifier, settings: Settings, *, dataset: PreparedDataset) -> Line:
    change = f"{dataset.uploaded:,} uploaded" if dataset.uploaded else "unchanged"
    place = f"s3://{settings.bucket}/{Keys(classifier.name).dataset}"
    return Line("prepared images", place, change, BY_USE if dataset.uploaded else FREE)


def _hosting(
    classifier: Classifier,
    clients: Clients,
    settings: Settings,
    *,
    request: Mapping[str, Any],
    job: str | None,
    prices: PriceBook,
) -> tuple[list[Line], str]:
    """Return (lines of model, endpoint config and endpoint, the config's name); `job` is None before tuning chooses."""
    sagemaker, cost = clients.sagemaker, _endpoint_cost(classifier, prices=prices)
    name = endpoint_name(classifier.name)
    found = endpoints.describe_endpoint(sagemaker, name)
    if job is None:
        change = _endpoint_change(found, endpoint_config="")
        lines = [Line(part, "of the model that is chosen", "created") for part in ("model", "endpoint config")]
        return [*lines, Line("endpoint", name, change, cost)], ""
    model = model_request(
        classifier,
        settings=settings,
        training_job=job,
        model_artifact=f"{request['OutputDataConfig']['S3OutputPath']}/{job}/output/model.tar.gz",
        image=request["AlgorithmSpecification"]["TrainingImage"],
    )
    config = endpoint_config_request(classifier, training_job=job, model=model)["EndpointConfigName"]
    found_model = refusals.described(lambda: sagemaker.describe_model(ModelName=model["ModelName"]))
    found_config = refusals.described(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=config))
    lines = [
        Line("model", model["ModelName"], "unchanged" if found_model else "created"),
        Line("endpoint config", config, "unchanged" if found_config else "created"),
        Line("endpoint", name, _endpoint_change(found, endpoint_config=config), cost),
    ]
    return lines, config


def _endpoint_change(found: Mapping[str, Any] | None, *, endpoint_config: str) -> str:
    if found is None:
        return "created"
    if found["EndpointStatus"] == "Failed":
        return "created anew"
    return "unchanged" if found["EndpointConfigName"] == endpoint_config else "updated"


def _endpoint_cost(classifier: Classifier, *, prices: PriceBook) -> Cost:
    count, instance_type = classifier.endpoint.instance_count, classifier.endpoint.instance_type
    price = prices.price(instance_type, use="hosting")
    machines = f"{count} x {instance_type} as long as it exists"
    if price.usd_per_hour is None:
        return Cost(hourly_usd=None, words=f"unknown: {machines}, {price.source}")
    hourly_usd = price.usd_per_hour * count
    day_usd, month_usd = hourly_usd * HOURS_A_DAY, hourly_usd * HOURS_A_MONTH
    figures = f"{hourly_usd:,.3f} USD an hour, {day_usd:,.2f} a day, {month_usd:,.2f} a month"
    return Cost(hourly_usd=hourly_usd, words=f"{figures}: {machines} ({price.source})")


def _function(
    classifier: Classifier, clients: Clients, settings: Settings, *, job: str | None, config: str, options: PlanOptions
) -> Line:
    name = function_name(classifier.name)
    wanted = function_configuration(classifier, settings=settings, training_job=job or "", endpoint_config=config)
    found = refusals.described(lambda: clients.functions.get_function(FunctionName=name))
    if found is None:
        return Line("function", name, "created", BY_USE)
    same = wanted.matches(found["Configuration"]) and wanted.runs_code(
        found["Configuration"], code_sha256=options.code_sha256
    )
    return Line("function", name, "unchanged" if same else "updated", BY_USE)


def _upload_trigger(classifier: Classifier, clients: Clients, settings: Settings) -> Line:
    meta, (_, _, _, _, account, _) = clients.functions.meta, settings.function_role_arn.split(":", 5)
    function = f"arn:{meta.partition}:lambda:{meta.region_name}:{account}:function:{function_name(classifier.name)}"
    trigger = upload_trigger(classifier.trigger, classifier=classifier.name, alias_arn=f"{function}:{ALIAS}")
    if classifier.trigger == "paused":
        return Line("upload trigger", trigger.id, "paused")
    change = notification.upload_trigger_change(clients.s3, bucket=settings.bucket, trigger=trigger)
    return Line("upload trigger", trigger.id, change)
