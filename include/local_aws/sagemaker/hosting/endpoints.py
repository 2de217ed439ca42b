"""The operations on endpoints: a change is begun at once, and carried out by a thread of its own."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

from local_aws.sagemaker.hosting.deployment import Deployment, DeploymentFailedError, described_variants
from local_aws.sagemaker.hosting.models import plan
from local_aws.sagemaker.protocol.errors import validation_error
from local_aws.sagemaker.protocol.listing import page
from local_aws.sagemaker.protocol.tags import as_dict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.container import Limits
    from local_aws.sagemaker.images import Images
    from local_aws.sagemaker.protocol.errors import ServiceError
    from local_aws.sagemaker.store import Store

log = logging.getLogger(__name__)

Document = dict[str, Any]
KIND = "endpoint"
SUMMARY = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
# Members of the stored document that no answer shows: the deployments that serve now, and that are on their way.
ACTIVE, PENDING = "_Active", "_Pending"


class Endpoints:
    """CreateEndpoint and what follows from it."""

    def __init__(self, *, aws: Aws, store: Store, images: Images, limits: Limits, state: Path) -> None:
        """Each deployment has a folder below `state`."""
        self.routes: dict[str, Deployment] = {}
        self._aws = aws
        self._store = store
        self._images = images
        self._limits = limits
        self._folder = state / "endpoints"
        self._closing = threading.Event()
        self._deployments: set[Deployment] = set()

    def recover(self) -> None:
        """Serve again what was served when the server ended, and take up the changes that were under way."""
        for endpoint in self._store.all(KIND):
            name, status = endpoint["EndpointName"], endpoint["EndpointStatus"]
            if status == "Deleting":
                self._begin(name, self._delete)
            elif status == "Creating":
                self._begin(name, self._create)
            elif status != "Failed":
                deployment = self._deployment(name, endpoint[ACTIVE])
                self.routes[name] = deployment  # invocations wait for it
                self._begin(name, self._serve_again)

    def close(self) -> None:
        """End every process; what is stored stays as it is."""
        self._closing.set()
        for deployment in list(self._deployments):
            deployment.close()

    def create_endpoint(self, request: Document) -> Document:
        """Begin to create; the endpoint answers when it is InService."""
        name, now = request["EndpointName"], time.time()
        arn = self._aws.arn(KIND, name)
        if self._store.get(KIND, name) is not None:
            raise self._already_exists(arn)
        pending = {"revision": 1, "plan": plan(self._store, request["EndpointConfigName"], aws=self._aws)}
        endpoint = {
            "EndpointName": name,
            "EndpointArn": arn,
            "EndpointConfigName": request["EndpointConfigName"],
            "EndpointStatus": "Creating",
            "CreationTime": now,
            "LastModifiedTime": now,
            PENDING: pending,
        }
        if not self._store.add(KIND, name, endpoint):
            raise self._already_exists(arn)
        self._store.set_tags(arn, as_dict(request.get("Tags", [])))
        self._begin(name, self._create)
        return {"EndpointArn": arn}

    def describe_endpoint(self, request: Document) -> Document:
        """The endpoint as it is now."""
        return _public(self._existing(request["EndpointName"]))

    def list_endpoints(self, request: Document) -> Document:
        """The endpoints, newest first."""
        return page(
            request,
            self._store.all(KIND),
            answer_key="Endpoints",
            summary=SUMMARY,
            name_key="EndpointName",
            status_key="EndpointStatus",
        )

    def update_endpoint(self, request: Document) -> Document:
        """Begin to move to another endpoint config; the old one answers until the new one does."""
        name = request["EndpointName"]
        arn = self._existing(name)["EndpointArn"]
        new_plan = plan(self._store, request["EndpointConfigName"], aws=self._aws)

        def updating(endpoint: Document) -> None:
            _check_changeable(endpoint, statuses=("InService",))
            now = time.time()
            endpoint.pop("FailureReason", None)
            endpoint[PENDING] = {"revision": endpoint[ACTIVE]["revision"] + 1, "plan": new_plan}
            endpoint.update(EndpointStatus="Updating", LastModifiedTime=now)
            summary = {"EndpointConfigName": request["EndpointConfigName"], "StartTime": now}
            endpoint["PendingDeploymentSummary"] = summary

        self._change(name, updating)
        self._begin(name, self._update)
        return {"EndpointArn": arn}

    def delete_endpoint(self, request: Document) -> Document:
        """Begin to end the processes; then the endpoint is forgotten."""
        name = request["EndpointName"]
        self._existing(name)

        def deleting(endpoint: Document) -> None:
            _check_changeable(endpoint, statuses=("InService", "Failed"))
            endpoint.update(EndpointStatus="Deleting", LastModifiedTime=time.time())

        self._change(name, deleting)
        self._begin(name, self._delete)
        return {}

    def _begin(self, name: str, work: Callable[[str], None]) -> None:
        threading.Thread(target=work, args=(name,), name=f"{work.__name__} {name}", daemon=True).start()

    def _create(self, name: str) -> None:
        try:
            self._bring_up(name, self._existing(name)[PENDING])
        except DeploymentFailedError as error:
            self._fail(name, str(error))

    def _update(self, name: str) -> None:
        old = self.routes[name]
        pending = self._existing(name)[PENDING]
        try:
            self._bring_up(name, pending)
        except DeploymentFailedError as error:
            self._roll_back(name, str(error))
            return
        old.retire()
        self._deployments.discard(old)

    def _serve_again(self, name: str) -> None:
        try:
            self.routes[name].bring_up()
        except DeploymentFailedError as error:
            self.routes.pop(name)
            self._fail(name, str(error))
            return
        endpoint = self._existing(name)
        if PENDING in endpoint:
            self._update(name)

    def _delete(self, name: str) -> None:
        deployment = self.routes.pop(name, None)
        if deployment is not None:
            deployment.retire()
            self._deployments.discard(deployment)
        shutil.rmtree(self._folder / name, ignore_errors=True)
        self._store.remove(KIND, name, arn=self._aws.arn(KIND, name))
        log.info("Endpoint %s is deleted", name)

    def _bring_up(self, name: str, revision: Document) -> None:
        """Start the deployment, and only then send invocations to it."""
        deployment = self._deployment(name, revision)
        try:
            deployment.bring_up()
        except DeploymentFailedError:
            self._deployments.discard(deployment)
            if not self._closing.is_set():
                deployment.retire()
            raise
        config = revision["plan"]["config"]["EndpointConfigName"]

        def in_service(endpoint: Document) -> None:
            endpoint.pop(PENDING, None)
            endpoint.pop("PendingDeploymentSummary", None)
            endpoint.update(EndpointStatus="InService", EndpointConfigName=config, LastModifiedTime=time.time())
            endpoint["ProductionVariants"] = described_variants(revision["plan"], now=time.time())
            endpoint[ACTIVE] = revision

        self.routes[name] = deployment
        self._store.change(KIND, name, in_service)
        log.info("Endpoint %s serves %s", name, config)

    def _deployment(self, name: str, revision: Document) -> Deployment:
        deployment = Deployment(
            name,
            plan=revision["plan"],
            folder=self._folder / name / str(revision["revision"]),
            aws=self._aws,
            images=self._images,
            limits=self._limits,
        )
        self._deployments.add(deployment)
        return deployment

    def _fail(self, name: str, reason: str) -> None:
        def failed(endpoint: Document) -> None:
            endpoint.update(EndpointStatus="Failed", FailureReason=reason, LastModifiedTime=time.time())

        if not self._closing.is_set():
            self._store.change(KIND, name, failed)
            log.warning("Endpoint %s failed: %s", name, reason)

    def _roll_back(self, name: str, reason: str) -> None:
        def rolled_back(endpoint: Document) -> None:
            endpoint.pop(PENDING, None)
            endpoint.pop("PendingDeploymentSummary", None)
            endpoint.update(EndpointStatus="InService", FailureReason=reason, LastModifiedTime=time.time())

        if not self._closing.is_set():
            self._store.change(KIND, name, rolled_back)
            log.warning("Endpoint %s was rolled back: %s", name, reason)

    def _existing(self, name: str) -> Document:
        endpoint = self._store.get(KIND, name)
        if endpoint is None:
            raise self._not_found(name)
        return endpoint

    def _change(self, name: str, change: Callable[[Document], None]) -> None:
        if self._store.change(KIND, name, change) is None:
            raise self._not_found(name)

    def _not_found(self, name: str) -> ServiceError:
        return validation_error(f'Could not find endpoint "{self._aws.arn(KIND, name)}".')

    def _already_exists(self, arn: str) -> ServiceError:
        return validation_error(f'Cannot create already existing endpoint "{arn}".')


def _public(endpoint: Document) -> Document:
    return {key: value for key, value in endpoint.items() if not key.startswith("_")}


def _check_changeable(endpoint: Document, *, statuses: tuple[str, ...]) -> None:
    status, arn = endpoint["EndpointStatus"], endpoint["EndpointArn"]
    if status in statuses:
        return
    if status == "Failed":
        raise validation_error(f'Cannot update endpoint "{arn}" in status Failed. Delete it, then create it again.')
    raise validation_error(f'Cannot update in-progress endpoint "{arn}".')
