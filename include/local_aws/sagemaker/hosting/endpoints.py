"""Implements the operations on endpoints: each checks its request, stores the new state and starts the change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local_aws.sagemaker import quotas
from local_aws.sagemaker.hosting.baking import check_alarms_exist
from local_aws.sagemaker.hosting.deployment import pending_variants, show_desired
from local_aws.sagemaker.hosting.models import instances, plan, scaled
from local_aws.sagemaker.hosting.rollouts import ACTIVE, KIND, PENDING
from local_aws.sagemaker.hosting.traffic import shift
from local_aws.sagemaker.protocol.errors import validation_error
from local_aws.sagemaker.protocol.listing import page
from local_aws.sagemaker.protocol.tags import as_dict
from local_aws.sagemaker.store import Collection

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.faults.counting import Faults
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Document, Endpoint, Plan
    from local_aws.sagemaker.hosting.rollouts import Rollouts
    from local_aws.sagemaker.protocol.errors import ServiceError
    from local_aws.sagemaker.store import Store

SUMMARY = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")


class Endpoints:
    """CreateEndpoint, DescribeEndpoint, ListEndpoints, the two updates and DeleteEndpoint."""

    def __init__(self, *, aws: Aws, store: Store, rollouts: Rollouts, faults: Faults) -> None:
        """Endpoints are documents of the store; `rollouts` serves them."""
        self._aws = aws
        self._faults = faults
        self._store = store
        self._endpoints = Collection["Endpoint"](store, KIND)
        self._rollouts = rollouts

    def create_endpoint(self, request: Document) -> Document:
        """Start to create; the endpoint answers when it is InService."""
        name, now = request["EndpointName"], time.time()
        arn = self._aws.arn(KIND, name)
        if self._endpoints.get(name) is not None:
            raise _already_exists(arn)
        new_plan = plan(self._store, request["EndpointConfigName"], aws=self._aws)
        self._check_quota("CreateEndpoint", request, new_plan=new_plan)
        endpoint: Endpoint = {
            "EndpointName": name,
            "EndpointArn": arn,
            "EndpointConfigName": request["EndpointConfigName"],
            "EndpointStatus": "Creating",
            "CreationTime": now,
            "LastModifiedTime": now,
            PENDING: {"revision": 1, "plan": new_plan},
        }
        if not self._endpoints.add(name, endpoint):
            raise _already_exists(arn)
        self._store.set_tags(arn, as_dict(request.get("Tags", [])))
        self._rollouts.create(name)
        return {"EndpointArn": arn}

    def describe_endpoint(self, request: Document) -> Document:
        """Return the current endpoint."""
        endpoint = self._existing(request["EndpointName"])
        return {key: value for key, value in endpoint.items() if not key.startswith("_")}

    def list_endpoints(self, request: Document) -> Document:
        """Return the endpoints, newest first."""
        return page(
            request,
            self._store.all(KIND),
            answer_key="Endpoints",
            summary=SUMMARY,
            name_key="EndpointName",
            status_key="EndpointStatus",
        )

    def update_endpoint(self, request: Document) -> Document:
        """Start to move to another endpoint config; the old one answers until the new one does."""
        name = request["EndpointName"]
        arn = self._existing(name)["EndpointArn"]
        if request.get("RetainAllVariantProperties"):
            raise validation_error("RetainAllVariantProperties is not implemented by this local SageMaker.")
        new_plan = plan(self._store, request["EndpointConfigName"], aws=self._aws)
        self._check_quota("UpdateEndpoint", request, new_plan=new_plan)
        config = self._deployment_config(request, new_plan=new_plan)

        def updating(endpoint: Endpoint) -> None:
            _check_changeable(endpoint, statuses=("InService",))
            now = time.time()
            endpoint.pop("FailureReason", None)
            endpoint["_Revisions"] = endpoint.get("_Revisions", 1) + 1
            endpoint[PENDING] = {"revision": endpoint["_Revisions"], "plan": new_plan, "deployment_config": config}
            endpoint["EndpointStatus"] = "Updating"
            endpoint["LastModifiedTime"] = now
            endpoint["PendingDeploymentSummary"] = {
                "EndpointConfigName": request["EndpointConfigName"],
                "StartTime": now,
                "ProductionVariants": pending_variants(new_plan, now=now),
            }
            if config is not None:
                endpoint["LastDeploymentConfig"] = config

        self._change(name, updating)
        self._rollouts.update(name)
        return {"EndpointArn": arn}

    def update_endpoint_weights_and_capacities(self, request: Document) -> Document:
        """Start to serve the same endpoint config with other weights and instance counts, on a new fleet."""
        name, wanted = request["EndpointName"], request["DesiredWeightsAndCapacities"]
        arn = self._existing(name)["EndpointArn"]

        def updating(endpoint: Endpoint) -> None:
            _check_changeable(endpoint, statuses=("InService",))
            new_plan = scaled(endpoint[ACTIVE]["plan"], wanted)
            endpoint.pop("FailureReason", None)
            endpoint["_Revisions"] = endpoint.get("_Revisions", 1) + 1
            endpoint[PENDING] = {"revision": endpoint["_Revisions"], "plan": new_plan}
            endpoint["EndpointStatus"] = "Updating"
            endpoint["LastModifiedTime"] = time.time()
            show_desired(endpoint["ProductionVariants"], new_plan)

        self._change(name, updating)
        self._rollouts.update(name)
        return {"EndpointArn": arn}

    def delete_endpoint(self, request: Document) -> Document:
        """Start to end the processes; then the endpoint is deleted."""
        name = request["EndpointName"]

        def deleting(endpoint: Endpoint) -> None:
            _check_changeable(endpoint, statuses=("InService", "Failed"))
            endpoint["EndpointStatus"] = "Deleting"
            endpoint["LastModifiedTime"] = time.time()

        self._change(name, deleting)
        self._rollouts.delete(name)
        return {}

    def _deployment_config(self, request: Document, *, new_plan: Plan) -> Document | None:
        """Return how to move the traffic: as this request says, or as the last update that said so."""
        config: Document | None = request.get("DeploymentConfig")
        if config is None and request.get("RetainDeploymentConfig"):
            config = self._existing(request["EndpointName"]).get("LastDeploymentConfig")
        check_alarms_exist(self._aws, shift(config, instances=instances(new_plan).total()).alarms)
        return config

    def _check_quota(self, operation: str, request: Document, *, new_plan: Plan) -> None:
        asked = instances(new_plan)
        serving = [endpoint[ACTIVE]["plan"] for endpoint in self._endpoints.all() if ACTIVE in endpoint]
        for instance_type, count in asked.items():
            busy = sum(instances(served)[instance_type] for served in serving)
            quotas.check(
                quotas.Use(instance_type=instance_type, noun="endpoint usage", busy=busy, asked=count),
                limit=quotas.planned_limit(self._faults, operation, instance_type, request=request),
            )

    def _existing(self, name: str) -> Endpoint:
        return self._endpoints.existing(name, otherwise=self._not_found(name))

    def _change(self, name: str, change: Callable[[Endpoint], None]) -> None:
        if self._endpoints.change(name, change) is None:
            raise self._not_found(name)

    def _not_found(self, name: str) -> ServiceError:
        return validation_error(f'Could not find endpoint "{self._aws.arn(KIND, name)}".')


def _already_exists(arn: str) -> ServiceError:
    return validation_error(f'Cannot create already existing endpoint "{arn}".')


def _check_changeable(endpoint: Endpoint, *, statuses: tuple[str, ...]) -> None:
    status, arn = endpoint["EndpointStatus"], endpoint["EndpointArn"]
    if status in statuses:
        return
    if status == "Failed":
        raise validation_error(f'Cannot update endpoint "{arn}" in status Failed. Delete it, then create it again.')
    raise validation_error(f'Cannot update in-progress endpoint "{arn}".')
