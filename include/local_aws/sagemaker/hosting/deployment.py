"""Deploys one endpoint config: unpacks its variants' artifacts and runs their instances."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TYPE_CHECKING

from local_aws.sagemaker import container
from local_aws.sagemaker.hosting.fleet_faults import HEALTHY, FleetFaults
from local_aws.sagemaker.hosting.instance import LOG_GROUP, Instance, instance_id
from local_aws.sagemaker.hosting.model_files import ModelFilesError, unpack_model
from local_aws.sagemaker.hosting.models import served_container
from local_aws.sagemaker.logs import LogShipper
from local_aws.sagemaker.protocol.errors import ServiceError

if TYPE_CHECKING:
    from pathlib import Path

    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.container import Limits
    from local_aws.sagemaker.documents import Container, Plan, ProductionVariant, VariantSummary
    from local_aws.sagemaker.images import Images

WAIT_S = 0.05


class DeploymentFailedError(Exception):
    """The endpoint config cannot be served; the message is the endpoint's FailureReason."""


class Deployment:
    """The instances that answer the invocations of an endpoint, until it is retired."""

    def __init__(self, endpoint: str, *, plan: Plan, folder: Path, aws: Aws, images: Images, limits: Limits) -> None:
        """`plan` holds the endpoint config and its models; `folder` is the deployment's own."""
        self.ready = threading.Event()
        self._endpoint = endpoint
        self._plan = plan
        self._folder = folder
        self._aws = aws
        self._images = images
        self._limits = limits
        self._variants = plan["config"]["ProductionVariants"]
        self.instances: list[Instance] = []
        self._credit = {variant["VariantName"]: 0.0 for variant in self._variants}
        self._lock = threading.Lock()
        self._retired = False
        self._closed = threading.Event()

    @property
    def variant_names(self) -> list[str]:
        """The names of the production variants."""
        return list(self._credit)

    def bring_up(self, faults: FleetFaults = HEALTHY) -> None:
        """Start the instances, and wait until each has passed its health check.

        Raises:
            DeploymentFailedError: one did not, or its artifact cannot be used.

        """
        for variant in self._variants:
            self._unpack_model(variant)
        try:
            self._start_instances()
        except ServiceError as error:  # an image that this server was started without
            raise DeploymentFailedError(error.message) from error
        self._closed.wait(faults.delay_s)
        for instance in self.instances:
            while faults.never_answers or not instance.healthy.wait(WAIT_S):
                if faults.never_answers or instance.failed.is_set() or self._closed.is_set():
                    raise DeploymentFailedError(
                        f"The primary container for production variant {instance.variant} did not pass the ping health "
                        "check. Please check CloudWatch logs for this endpoint."
                    )
        self.ready.set()

    def _start_instances(self) -> None:
        for variant in self._variants:
            for number in range(variant["InitialInstanceCount"]):
                instance = self._instance(variant, number=number)
                self.instances.append(instance)
                instance.start()

    def acquire(self, *, variant: str | None = None) -> Instance | None:
        """Return an instance for one invocation, to be released after it; None if this deployment is retired.

        Raises:
            LookupError: no instance is healthy at this moment.

        """
        with self._lock:
            if self._retired:
                return None
            name = variant or self._next_variant()
            healthy = [item for item in self.instances if item.variant == name and item.healthy.is_set()]
            if not healthy:
                raise LookupError(name)
            instance = min(healthy, key=lambda item: item.in_flight)
            instance.in_flight += 1
            return instance

    def release(self, instance: Instance) -> None:
        """End the invocation of an instance."""
        with self._lock:
            instance.in_flight -= 1

    def retire(self) -> None:
        """Take no more invocations, wait for those in flight, then stop the processes and remove the files."""
        with self._lock:
            self._retired = True
        deadline = time.monotonic() + self._limits.drain_s
        while any(instance.in_flight for instance in self.instances) and time.monotonic() < deadline:
            time.sleep(WAIT_S)
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """Stop the processes."""
        self._closed.set()
        threads = [threading.Thread(target=instance.stop) for instance in self.instances]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _next_variant(self) -> str:
        """Choose a variant by smooth weighted round robin, so that after any number of calls each has had its share."""
        weights = {variant["VariantName"]: variant["InitialVariantWeight"] for variant in self._variants}
        for name, weight in weights.items():
            self._credit[name] += weight
        chosen = max(self._credit, key=self._credit.__getitem__)
        self._credit[chosen] -= sum(weights.values())
        return chosen

    def _unpack_model(self, variant: ProductionVariant) -> None:
        base = self._folder / variant["VariantName"]
        try:
            unpack_model(self._container(variant), base=base, aws=self._acting(variant))
        except ModelFilesError as error:
            raise DeploymentFailedError(str(error)) from error

    def _instance(self, variant: ProductionVariant, *, number: int) -> Instance:
        base = self._folder / variant["VariantName"]
        definition = self._container(variant)
        aws = self._acting(variant)

        def environment(port: int) -> dict[str, str]:
            own = {"SAGEMAKER_BIND_TO_PORT": str(port)}
            given = definition.get("Environment", {})
            return container.environment(base, aws=aws, given=given, own=own)

        name = variant["VariantName"]
        identity = instance_id(f"{self._endpoint}/{name}/{self._folder.name}/{number}")
        log_file = self._folder.parent / "logs" / f"{name}-{identity}.log"
        group = f"{LOG_GROUP}{self._endpoint}"
        return Instance(
            owner=f"Endpoint {self._endpoint}",
            variant=name,
            command=self._images.find(definition["Image"]).command,
            environment=environment,
            folder=base,
            shipper=LogShipper(log_file, logs=aws.logs, group=group, stream=f"{name}/{identity}"),
            ping_timeout_s=variant.get("ContainerStartupHealthCheckTimeoutInSeconds", self._limits.ping_timeout_s),
        )

    def _acting(self, variant: ProductionVariant) -> Aws:
        """Return the AWS clients with the rights of the variant's model's role."""
        role = self._plan["models"][variant["ModelName"]].get("ExecutionRoleArn")
        return self._aws.acting_as(role, session=self._endpoint)

    def _container(self, variant: ProductionVariant) -> Container:
        return served_container(self._plan["models"][variant["ModelName"]])


def described_variants(plan: Plan, *, now: float) -> list[VariantSummary]:
    """Return the variants as DescribeEndpoint shows them once they serve."""
    return [_described(variant, plan, now=now) for variant in plan["config"]["ProductionVariants"]]


def pending_variants(plan: Plan, *, now: float) -> list[VariantSummary]:
    """Return the variants as DescribeEndpoint shows them before they serve."""
    variants = described_variants(plan, now=now)
    return [{**variant, "VariantStatus": [{"Status": "Creating", "StartTime": now}]} for variant in variants]


def show_desired(shown: list[VariantSummary], plan: Plan) -> None:
    """Set the desired weight and instance count in DescribeEndpoint's variants."""
    wanted = {variant["VariantName"]: variant for variant in plan["config"]["ProductionVariants"]}
    for variant in shown:
        new = wanted[variant["VariantName"]]
        variant["DesiredWeight"] = new["InitialVariantWeight"]
        variant["DesiredInstanceCount"] = new["InitialInstanceCount"]


def _described(variant: ProductionVariant, plan: Plan, *, now: float) -> VariantSummary:
    image = served_container(plan["models"][variant["ModelName"]])["Image"]
    weight, count = variant["InitialVariantWeight"], variant["InitialInstanceCount"]
    return {
        "VariantName": variant["VariantName"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now}],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }
