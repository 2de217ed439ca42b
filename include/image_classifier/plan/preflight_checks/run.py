"""Runs all checks of the preflight, first those of the account, then those of each classifier."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.plan.job_lines import most_of_a_run
from image_classifier.plan.plan import HOURS_A_MONTH
from image_classifier.plan.preflight_checks.algorithm import check_image, check_preparation_image
from image_classifier.plan.preflight_checks.finding import Finding
from image_classifier.plan.preflight_checks.identity import (
    Caller,
    check_identity,
    check_permissions,
    check_trust,
    find_caller,
)
from image_classifier.plan.preflight_checks.names import check_name_of
from image_classifier.plan.preflight_checks.quotas import check_quotas
from image_classifier.plan.preflight_checks.storage import check_bucket, check_notification, check_source
from image_classifier.plan.prices import PriceBook

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class PreflightClients:
    """The clients of the preflight, of the region in which the classifiers will run."""

    sts: Any
    iam: "IAMClient"
    s3: "S3Client"
    sagemaker: "SageMakerClient"
    functions: "LambdaClient"
    ecr: Any
    service_quotas: Any
    prices: PriceBook


def preflight(
    classifiers: Sequence[Classifier], *, clients: PreflightClients, settings: Settings, principal: str = ""
) -> Iterator[Finding]:
    """Yield the results of all checks; without valid credentials only the first one runs.

    Args:
        classifiers: the classifiers whose runs are checked.
        clients: the clients of the caller.
        settings: the deployment's settings.
        principal: the ARN of the role or user whose permissions are simulated; the caller's own if empty.

    """
    try:
        caller = find_caller(clients.sts, clients.iam, principal=principal)
    except (ClientError, BotoCoreError) as error:
        yield Finding("identity", "missing", f"AWS does not accept the credentials: {error}", "aws configure")
        return
    yield check_identity(caller, settings=settings)
    yield check_bucket(clients.s3, settings=settings)  # before what follows from a wrong region
    yield from check_trust(clients.iam, settings=settings)
    yield from check_permissions(clients.iam, caller=caller, settings=settings)
    for classifier in classifiers:
        yield from _of_classifier(classifier, clients=clients, settings=settings, caller=caller)


def _of_classifier(
    classifier: Classifier, *, clients: PreflightClients, settings: Settings, caller: Caller
) -> Iterator[Finding]:
    region = clients.s3.meta.region_name
    yield check_name_of(classifier, sagemaker=clients.sagemaker, functions=clients.functions, settings=settings)
    yield check_image(clients.ecr, classifier=classifier, settings=settings, region=region)
    if classifier.preparation.runner == "processing":
        yield check_preparation_image(clients.ecr, classifier=classifier, settings=settings, region=region)
    yield check_source(clients.s3, classifier=classifier, settings=settings, caller=caller)
    yield check_notification(clients.s3, classifier=classifier, settings=settings)
    yield from check_quotas(clients.service_quotas, classifier=classifier)
    yield price_of_a_run(classifier, prices=clients.prices)
    yield price_of_a_month(classifier, prices=clients.prices)


def price_of_a_run(classifier: Classifier, *, prices: PriceBook) -> Finding:
    """Return the maximum cost of a run's jobs, if each one reaches its time limit: training, tuning and transforms."""
    check, costs = f"price of a run of {classifier.name}", [line.cost for line in most_of_a_run(classifier, prices)]
    unknown = [cost.words for cost in costs if cost.once_usd is None]
    if unknown:
        return Finding(check, "not checked", "; ".join(unknown))
    usd = sum(cost.once_usd for cost in costs if cost.once_usd is not None)
    return Finding(check, "ok", f"at most {usd:,.2f} USD, the sum of {'; and '.join(cost.words for cost in costs)}")


def price_of_a_month(classifier: Classifier, *, prices: PriceBook) -> Finding:
    """Return the endpoint's cost in a month of 730 hours."""
    endpoint = classifier.endpoint
    price = prices.price(endpoint.instance_type, use="hosting")
    check, machines = f"price of a month of {classifier.name}", f"{endpoint.instance_count} x {endpoint.instance_type}"
    if price.usd_per_hour is None:
        return Finding(check, "not checked", f"{machines}: {price.source}")
    usd = price.usd_per_hour * endpoint.instance_count * HOURS_A_MONTH
    return Finding(check, "ok", f"{usd:,.2f} USD: {machines} as long as the endpoint exists ({price.source})")
