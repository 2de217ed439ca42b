"""Carries out the changes of endpoints, each in a thread: start a fleet, shift traffic, drain, roll back, delete."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Final

from local_aws.faults.plan import FailedCreate, FailedUpdate
from local_aws.sagemaker.hosting.baking import bake
from local_aws.sagemaker.hosting.deployment import (
    Deployment,
    DeploymentFailedError,
    described_variants,
    show_desired,
)
from local_aws.sagemaker.hosting.fleet_faults import of_fleet
from local_aws.sagemaker.hosting.models import instances
from local_aws.sagemaker.hosting.traffic import Route, shift
from local_aws.sagemaker.store import Collection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local_aws.faults.counting import Faults
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.container import Limits
    from local_aws.sagemaker.documents import Endpoint, Revision
    from local_aws.sagemaker.images import Images
    from local_aws.sagemaker.store import Store

log = logging.getLogger(__name__)

KIND = "endpoint"
WRITE_AGAIN_S = 1.0
# Members of the stored document that no answer shows: the deployment that serves, and the one that is being started.
ACTIVE: Final = "_Active"
PENDING: Final = "_Pending"


class Rollouts:
    """The fleets that serve each endpoint, and the changes between them."""

    def __init__(self, *, aws: Aws, store: Store, images: Images, limits: Limits, faults: Faults, folder: Path) -> None:
        """Keep the files of each deployment in a folder below `folder`."""
        self.routes: dict[str, Route] = {}
        self._aws = aws
        self._store = store
        self._endpoints = Collection["Endpoint"](store, KIND)
        self._images = images
        self._limits = limits
        self._faults = faults
        self._folder = folder
        self._closing = threading.Event()
        self._deployments: set[Deployment] = set()

    def recover(self) -> None:
        """Serve again what the previous server served, and continue the unfinished changes."""
        resume = {"Creating": self.create, "Deleting": self.delete}
        for endpoint in self._endpoints.all():
            name, status = endpoint["EndpointName"], endpoint["EndpointStatus"]
            if status in resume:
                resume[status](name)
            elif status != "Failed":
                deployment = self._deployment(name, endpoint[ACTIVE])
                self.routes[name] = Route(deployment)  # invocations wait for it
                work = self._resume_update if status == "Updating" else self._serve_again
                self._begin(work, name, deployment)

    def close(self) -> None:
        """End every process; the stored state stays."""
        self._closing.set()
        for deployment in list(self._deployments):
            deployment.close()

    def create(self, name: str) -> None:
        """Start to serve a new endpoint."""
        self._begin(self._create, name)

    def update(self, name: str) -> None:
        """Start to move an endpoint to its pending plan."""
        self._begin(self._update, name)

    def delete(self, name: str) -> None:
        """Start to delete an endpoint."""
        self._begin(self._delete, name)

    def _begin(self, work: Callable[..., object], name: str, *arguments: Deployment) -> None:
        def run() -> None:
            try:
                work(name, *arguments)
            except (OSError, sqlite3.Error) as error:
                log.exception("The change of endpoint %s failed", name)
                self._fail(name, f"InternalServerError: {error}")

        threading.Thread(target=run, name=f"{work.__name__} {name}", daemon=True).start()

    def _create(self, name: str) -> None:
        revision = self._pending(name)
        try:
            deployment = self._bring_up(name, revision, failure=FailedCreate)
        except DeploymentFailedError as error:
            self._fail(name, str(error))
            return
        self.routes[name] = Route(deployment)
        self._in_service(name, revision)

    def _update(self, name: str) -> None:
        """Start the new fleet, shift the traffic to it step by step, and shift it back after a failure."""
        revision = self._pending(name)
        route = self.routes[name]
        old = route.fleet
        try:
            new = self._bring_up(name, revision, failure=FailedUpdate)
        except DeploymentFailedError as error:
            self._roll_back(name, str(error))
            return
        steps = shift(revision.get("deployment_config"), instances=instances(revision["plan"]).total())
        deadline = time.monotonic() + steps.time_limit_s
        try:
            for share in steps.shares:
                route.share_with(new, share=share)
                self._show_phase(name, "Baking")
                bake(steps, aws=self._aws, deadline=deadline, closing=self._closing)
        except DeploymentFailedError as error:
            route.return_to(old)
            self._retire(new)
            self._roll_back(name, str(error))
            return
        if not self._closing.wait(steps.keep_old_s):
            self._retire(old)
            self.routes[name] = route  # absent if the old fleet could not be started again after a restart
            self._in_service(name, revision)

    def _pending(self, name: str) -> Revision:
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            raise LookupError(f"The endpoint {name} was deleted while it changed.")
        return endpoint[PENDING]

    def _retire(self, deployment: Deployment) -> None:
        if not self._closing.is_set():  # otherwise the next server serves from its files
            deployment.retire()
            self._deployments.discard(deployment)

    def _serve_again(self, name: str, deployment: Deployment) -> bool:
        try:
            deployment.bring_up()
        except DeploymentFailedError as error:
            route = self.routes.get(name)
            if route is not None and route.fleet is deployment:  # otherwise it was updated or deleted in the meantime
                del self.routes[name]
                self._fail(name, str(error))
                deployment.close()  # its files stay, as those of a Failed endpoint do
                self._deployments.discard(deployment)
            return False
        return True

    def _resume_update(self, name: str, deployment: Deployment) -> None:
        if self._serve_again(name, deployment):
            self._update(name)

    def _delete(self, name: str) -> None:
        route = self.routes.pop(name, None)
        if route is not None:
            self._retire(route.fleet)
        shutil.rmtree(self._folder / name, ignore_errors=True)
        self._at_last(name, lambda: self._store.remove(KIND, name, arn=self._aws.arn(KIND, name)))
        log.info("Endpoint %s is deleted", name)

    def _bring_up(self, name: str, revision: Revision, *, failure: type[FailedCreate | FailedUpdate]) -> Deployment:
        """Start the processes of a revision; they get no traffic yet."""
        request = {"EndpointName": name, "EndpointConfigName": revision["plan"]["config"]["EndpointConfigName"]}
        deployment = self._deployment(name, revision)
        try:
            deployment.bring_up(of_fleet(self._faults, failure=failure, request=request))
        except DeploymentFailedError:
            self._retire(deployment)
            raise
        return deployment

    def _in_service(self, name: str, revision: Revision) -> None:
        def in_service(endpoint: Endpoint) -> None:
            _end_change(endpoint)
            endpoint["EndpointConfigName"] = revision["plan"]["config"]["EndpointConfigName"]
            endpoint["ProductionVariants"] = described_variants(revision["plan"], now=time.time())
            endpoint[ACTIVE] = revision

        self._at_last(name, lambda: self._endpoints.change(name, in_service))
        log.info("Endpoint %s serves %s", name, revision["plan"]["config"]["EndpointConfigName"])

    def _show_phase(self, name: str, phase: str) -> None:
        def show(endpoint: Endpoint) -> None:
            for variant in endpoint.get("PendingDeploymentSummary", {}).get("ProductionVariants", []):
                variant["VariantStatus"] = [{"Status": phase, "StartTime": time.time()}]

        self._endpoints.change(name, show)

    def _deployment(self, name: str, revision: Revision) -> Deployment:
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
        def failed(endpoint: Endpoint) -> None:
            endpoint["EndpointStatus"] = "Failed"
            endpoint["FailureReason"] = reason
            endpoint["LastModifiedTime"] = time.time()

        self._end_in_failure(name, failed, reason)

    def _roll_back(self, name: str, reason: str) -> None:
        def rolled_back(endpoint: Endpoint) -> None:
            _end_change(endpoint)
            show_desired(endpoint["ProductionVariants"], endpoint[ACTIVE]["plan"])
            endpoint["FailureReason"] = reason

        self._end_in_failure(name, rolled_back, reason)

    def _at_last(self, name: str, write: Callable[[], object]) -> None:
        """Store the result of a change; wait while the disk is full, because nothing else would end the change."""
        while True:
            try:
                write()
            except sqlite3.OperationalError as error:
                log.warning("The end of a change of endpoint %s cannot be stored yet: %s", name, error)
                if self._closing.wait(WRITE_AGAIN_S):
                    return
            else:
                return

    def _end_in_failure(self, name: str, change: Callable[[Endpoint], None], reason: str) -> None:
        if not self._closing.is_set():  # otherwise the next server continues the change
            self._at_last(name, lambda: self._endpoints.change(name, change))
            log.warning("The change of endpoint %s failed: %s", name, reason)


def _end_change(endpoint: Endpoint) -> None:
    endpoint.pop(PENDING, None)
    endpoint.pop("PendingDeploymentSummary", None)
    endpoint["EndpointStatus"] = "InService"
    endpoint["LastModifiedTime"] = time.time()
