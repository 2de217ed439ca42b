"""Checks with Service Quotas whether the account may run the instances of a classifier.

A quota has the name that the Service Quotas console shows: "ml.g4dn.xlarge for training job usage". ListServiceQuotas
leaves out quotas without an applied value; for those AWS's default applies
(https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.classifier import Classifier
from image_classifier.plan.job_lines import MODELS_COMPARED, models_scored
from image_classifier.plan.preflight_checks.finding import Finding, refusal

FUNCTION_CONCURRENCY = "Concurrent executions"
LEAST_CONCURRENCY = 10  # a new account's quota at AWS; a queue of uploads needs no more


@dataclass(frozen=True)
class Need:
    """The amount of one quota that a classifier uses at the same time."""

    service: str
    quota: str
    count: int


@dataclass(frozen=True)
class Quota:
    """A quota of the account: its code, its value, and whether AWS raises it on request."""

    code: str
    value: float
    adjustable: bool


def needs_of(classifier: Classifier) -> tuple[Need, ...]:
    """Return the quotas that a run needs; the training jobs of a tuning job count as other training jobs.

    The new and the live model are scored at the same time, and so are the models among which tuning chooses. An update
    of an endpoint runs the old and the new instances at the same time.
    """
    training, endpoint = classifier.training, classifier.endpoint
    tuning = classifier.tuning if classifier.tuning and classifier.tuning.enabled else None
    kind = "spot training job" if training.spot else "training job"
    count = training.instance_count * (min(tuning.max_parallel, tuning.tuned_jobs) if tuning else 1)
    needs = [Need("sagemaker", f"{machine} for {kind} usage", count) for machine in training.instance_types]
    if training.on_demand_fallback:
        needs.append(Need("sagemaker", f"{training.instance_type} for training job usage", count))
    if (preparation := classifier.preparation).runner == "processing":
        quota = f"{preparation.instance_type} for processing job usage"
        needs.append(Need("sagemaker", quota, preparation.instance_count))
    scored = max(MODELS_COMPARED, models_scored(tuning) if tuning else 0)
    return (
        *needs,
        Need("sagemaker", f"{classifier.evaluation.instance_type} for transform job usage", scored),
        Need("sagemaker", f"{endpoint.instance_type} for endpoint usage", 2 * endpoint.instance_count),
        Need("lambda", FUNCTION_CONCURRENCY, LEAST_CONCURRENCY),
    )


def check_quotas(quotas: Any, *, classifier: Classifier) -> Iterator[Finding]:
    """Check each quota; present usage is not subtracted. `quotas` is a client of Service Quotas."""
    needs = needs_of(classifier)
    for service in dict.fromkeys(need.service for need in needs):
        wanted = [need for need in needs if need.service == service]
        try:
            found = _quotas(quotas, service=service, names={need.quota for need in wanted})
        except (ClientError, BotoCoreError) as error:
            yield Finding(
                f"quotas of {service}",
                "not checked",
                f"Service Quotas does not answer: {refusal(error) if isinstance(error, ClientError) else error}",
            )
        else:
            yield from (_finding(need, found.get(need.quota), region=quotas.meta.region_name) for need in wanted)


def _finding(need: Need, quota: Quota | None, *, region: str) -> Finding:
    check = f"quota {need.quota}"
    if quota is None:
        return Finding(check, "not checked", f"Service Quotas lists no quota of this name in {region}")
    found = f"{quota.value:g}; a run needs {need.count} at once"
    if quota.value >= need.count:
        return Finding(check, "ok", found)
    if not quota.adjustable:
        return Finding(
            check, "missing", f"{found}; AWS does not raise it", "choose another type in the classifier's file"
        )
    command = (
        f"aws service-quotas request-service-quota-increase --service-code {need.service} --quota-code {quota.code} "
        f"--desired-value {need.count} --region {region}"
    )
    return Finding(check, "missing", found, command)


def _quotas(client: Any, *, service: str, names: set[str]) -> dict[str, Quota]:
    """Return the account's quotas by name; AWS's defaults where the account has no value of its own."""
    found = _listed(client, "list_service_quotas", service=service, names=names)
    if names - found.keys():
        found = {**_listed(client, "list_aws_default_service_quotas", service=service, names=names), **found}
    return found


def _listed(client: Any, operation: str, *, service: str, names: set[str]) -> dict[str, Quota]:
    found: dict[str, Quota] = {}
    for page in client.get_paginator(operation).paginate(ServiceCode=service):
        for quota in page["Quotas"]:
            if quota["QuotaName"] in names:
                found[quota["QuotaName"]] = Quota(quota["QuotaCode"], quota["Value"], quota.get("Adjustable", False))
        if names <= found.keys():
            break
    return found
