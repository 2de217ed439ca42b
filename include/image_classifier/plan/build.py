"""Looks at what AWS has and says what a run would change; every call reads, and nothing is changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from image_classifier.aws import client_errors as refusals
from image_classifier.aws.clients import Clients
from image_classifier.aws.names import Keys, function_name
from image_classifier.aws.s3 import object_exists
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.connect import notification
from image_classifier.connect.function import function_configuration
from image_classifier.connect.function_versions import ALIAS
from image_classifier.connect.trigger import upload_trigger
from image_classifier.deploy import endpoint as endpoints
from image_classifier.deploy import hosting
from image_classifier.plan.plan import BY_USE, FREE, HOURS_A_DAY, HOURS_A_MONTH, Cost, Line, Plan
from image_classifier.plan.preflight import check_deployment
from image_classifier.plan.prices import PriceBook
from image_classifier.prepare.dataset import PreparedDataset, plan_dataset
from image_classifier.train import attempts, job_request

SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class PlanOptions:
    """What a run asks for beside its classifier, and what it would deploy.

    Attributes:
        reset_labels: number the classes anew.
        only_of_run: a Dag's and a run's id, if the run wants a training job of its own.
        code_sha256: Lambda's hash of the function's zip.

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
    on_progress: Callable[[str], None],
) -> Plan:
    """What a run of `classifier` would create and change, and what that can cost at most.

    Raises:
        SettingsError: the bucket cannot be reached, or the algorithm is not available in the region.
        DatasetError: the images cannot be trained on.
        HyperparameterError: the algorithm would refuse the hyperparameters for these images.
        TrainingError: another attempt at the training job would end like the last.

    """
    check_deployment(clients.s3, classifier=classifier, settings=settings, region=prices.region)
    reset = options.reset_labels
    dataset = plan_dataset(classifier, s3=clients.s3, settings=settings, reset_labels=reset, on_progress=on_progress)
    request = job_request.training_job_request(classifier, settings=settings, region=prices.region, dataset=dataset)
    alternatives = job_request.alternative_requests(classifier, request)
    attempt = attempts.plan_attempt(
        clients.sagemaker,
        request,
        s3=clients.s3,
        alternatives=alternatives,
        accept_time_limit=classifier.training.accept_time_limit,
        only_of_run=options.only_of_run,
    )
    hosted, endpoint_config = _hosting(classifier, clients, settings, attempt=attempt, prices=prices)
    lines = (
        _images(classifier, settings, dataset=dataset),
        _training_job(attempt, (request, *alternatives), prices=prices),
        _evaluation(classifier, clients, settings, dataset=dataset, job=attempt.job_name, prices=prices),
        *hosted,
        _function(classifier, clients, settings, job=attempt.job_name, config=endpoint_config, options=options),
        _upload_trigger(classifier, clients, settings),
    )
    return Plan(classifier.name, lines)


def _images(classifier: Classifier, settings: Settings, *, dataset: PreparedDataset) -> Line:
    change = f"{dataset.uploaded:,} uploaded" if dataset.uploaded else "unchanged"
    place = f"s3://{settings.bucket}/{Keys(classifier.name).dataset}"
    return Line("prepared images", place, change, BY_USE if dataset.uploaded else FREE)


def _training_job(attempt: attempts.Attempt, machines: Sequence[Mapping[str, Any]], *, prices: PriceBook) -> Line:
    """The job costs what its dearest machine does: whichever AWS has is taken."""
    if attempt.action == "adopt":
        return Line("training job", attempt.job_name, "followed", Cost(words="nothing more: it runs already"))
    if attempt.action == "reuse":
        return Line("training job", attempt.job_name, "reused", Cost(words="nothing: it has the model"))
    costs = [_training_cost(request, prices=prices) for request in machines]
    unknown = [cost for cost in costs if cost.once_usd is None]
    dearest = unknown[0] if unknown else max(costs, key=lambda cost: cost.once_usd or 0.0)
    change = {"start": "started", "await": "started once it has stopped"}[attempt.action]
    return Line("training job", attempt.job_name, change, dearest)


def _training_cost(request: Mapping[str, Any], *, prices: PriceBook) -> Cost:
    resources, limit_s = request["ResourceConfig"], request["StoppingCondition"]["MaxRuntimeInSeconds"]
    instance_type, count = resources["InstanceType"], resources["InstanceCount"]
    price = prices.price(instance_type, use="training")
    machines = f"{count} x {instance_type} for {limit_s:,} s"
    if price.usd_per_hour is None:
        return Cost(None, words=f"unknown: {machines}, {price.source}")
    usd = price.usd_per_hour * count * limit_s / SECONDS_AN_HOUR
    spot = "; managed spot costs less" if request.get("EnableManagedSpotTraining") else ""
    return Cost(usd, words=f"{usd:,.2f} USD: {machines} at {price.usd_per_hour:g} an hour ({price.source}){spot}")


def _evaluation(
    classifier: Classifier,
    clients: Clients,
    settings: Settings,
    *,
    dataset: PreparedDataset,
    job: str,
    prices: PriceBook,
) -> Line:
    """Two transform jobs at most, each up to its time limit: of the new model, and of the one that serves."""
    images = dataset.num_test_samples
    if not images:
        return Line("evaluation", "no test image", "unchanged")
    report = Keys(classifier.name).evaluation(job, test_manifest=dataset.test_manifest_sha256) + "report.json"
    if object_exists(clients.s3, bucket=settings.bucket, key=report):
        return Line("evaluation", f"s3://{settings.bucket}/{report}", "unchanged")
    machine, limit_s = classifier.evaluation.instance_type, classifier.evaluation.time_limit_s
    price = prices.price(machine, use="hosting")  # AWS asks the same for batch transform
    machines, change = f"2 x {machine} for {limit_s:,} s", f"{images:,} images scored"
    if price.usd_per_hour is None:
        return Line("evaluation", job, change, Cost(None, words=f"unknown: {machines}, {price.source}"))
    usd = 2 * price.usd_per_hour * limit_s / SECONDS_AN_HOUR
    words = f"{usd:,.2f} USD: {machines} at {price.usd_per_hour:g} an hour ({price.source})"
    return Line("evaluation", job, change, Cost(usd, words=words))


def _hosting(
    classifier: Classifier, clients: Clients, settings: Settings, *, attempt: attempts.Attempt, prices: PriceBook
) -> tuple[list[Line], str]:
    """Model, endpoint config and endpoint; and the endpoint config's name."""
    sagemaker, request = clients.sagemaker, attempt.request
    model = hosting.model_request(
        classifier,
        settings=settings,
        training_job=attempt.job_name,
        model_artifact=f"{request['OutputDataConfig']['S3OutputPath']}/{attempt.job_name}/output/model.tar.gz",
        image=request["AlgorithmSpecification"]["TrainingImage"],
    )
    config = hosting.endpoint_config_request(classifier, training_job=attempt.job_name, model=model)
    endpoint = hosting.endpoint_request(classifier, endpoint_config=config["EndpointConfigName"])
    found_model = refusals.described(lambda: sagemaker.describe_model(ModelName=model["ModelName"]))
    found_config = refusals.described(
        lambda: sagemaker.describe_endpoint_config(EndpointConfigName=config["EndpointConfigName"])
    )
    found = endpoints.describe_endpoint(sagemaker, endpoint["EndpointName"])
    lines = [
        Line("model", model["ModelName"], "unchanged" if found_model else "created"),
        Line("endpoint config", config["EndpointConfigName"], "unchanged" if found_config else "created"),
        Line(
            "endpoint",
            endpoint["EndpointName"],
            _endpoint_change(found, endpoint_config=config["EndpointConfigName"]),
            _endpoint_cost(classifier, prices=prices),
        ),
    ]
    return lines, config["EndpointConfigName"]


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
    classifier: Classifier, clients: Clients, settings: Settings, *, job: str, config: str, options: PlanOptions
) -> Line:
    name = function_name(classifier.name)
    wanted = function_configuration(classifier, settings=settings, training_job=job, endpoint_config=config)
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
