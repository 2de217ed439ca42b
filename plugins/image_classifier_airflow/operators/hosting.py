"""Creates model, endpoint config and endpoint; the tasks can be repeated, and change only what differs."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerEndpointConfigOperator,
    SageMakerEndpointOperator,
    SageMakerModelOperator,
)
from airflow.sdk import Context
from botocore.exceptions import ClientError

from image_classifier.contracts.errors import EndpointError, ResourceBusyError
from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.connection import client, connection_arguments
from image_classifier_airflow.links import ENDPOINT_CONFIG_LINKS, ENDPOINT_LINKS, MODEL_LINKS

if TYPE_CHECKING:
    from image_classifier.deploy.endpoint import EndpointStep

ONE_HOUR_S = 3600


class ModelOperator(SageMakerModelOperator):
    """Creates the model unless it exists with this content. Returns a dict of name and outcome (created, unchanged).

    A model of this name with other content raises an error that names the difference, because models cannot be changed
    and the live one must not be deleted. The name should therefore be computed from the content.
    """

    operator_extra_links = MODEL_LINKS

    @with_our_errors
    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Create the model; the provider's operator fails when run twice.

        Raises:
            ResourceClashError: a model with other content has the name.

        """
        from image_classifier.deploy.model import ensure_model

        return {"name": self.config["ModelName"], "outcome": ensure_model(self.hook.conn, self.config)}


class EndpointConfigOperator(SageMakerEndpointConfigOperator):
    """Creates the endpoint config unless it exists with this content.

    Returns a dict of name and outcome (created, unchanged). An endpoint config of this name with other content raises
    an error that names the difference.
    """

    operator_extra_links = ENDPOINT_CONFIG_LINKS

    @with_our_errors
    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Create the endpoint config; the provider's operator fails when run twice.

        Raises:
            ResourceClashError: an endpoint config with other content has the name.

        """
        from image_classifier.deploy.endpoint_config import ensure_endpoint_config

        outcome = ensure_endpoint_config(self.hook.conn, self.config)
        return {"name": self.config["EndpointConfigName"], "outcome": outcome}


class EndpointOperator(SageMakerEndpointOperator):
    """Creates or updates the endpoint, waits until it is in service, and invokes it with a sample image.

    It waits for a change in progress, replaces a failed endpoint, and changes nothing if the endpoint serves the config
    already. The provider's operator succeeds after a rolled-back update; this one raises an error that names the config
    that still serves.

    Returns a dict of name and outcome (created, updated, adopted, unchanged); "adopted" means that an earlier try of
    the task started the change to this config.

    Args:
        config: CreateEndpoint's request; its DeploymentConfig is used by updates.
        sample: an image for the invocation, as a dict of bucket, key and num_classes; None skips it.
        poll_interval_s: seconds between two DescribeEndpoint calls.
        time_limit_s: how many seconds all waiting may take, in addition to the DeploymentConfig's own limit.
        deferrable: wait in the triggerer instead of on a worker.
        kwargs: the provider's and BaseOperator's arguments.

    """

    operator_extra_links = ENDPOINT_LINKS
    template_fields: Sequence[str] = (*SageMakerEndpointOperator.template_fields, "sample")

    def __init__(
        self,
        *,
        config: dict[str, Any],
        sample: dict[str, Any] | None = None,
        poll_interval_s: int = 10,
        time_limit_s: int = ONE_HOUR_S,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        """Store the arguments; `config` and `sample` may be another task's result."""
        super().__init__(
            config=config,
            check_interval=poll_interval_s,
            max_ingestion_time=time_limit_s,
            deferrable=deferrable,
            **kwargs,
        )
        self.sample = sample
        self.poll_interval_s = poll_interval_s
        self.time_limit_s = time_limit_s
        self._deadline = 0.0  # of all waiting, in seconds since 1970; from the beginning of the task, also if deferred

    @with_our_errors
    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Take one step at a time, and wait after each, until the endpoint serves the config.

        Raises:
            EndpointRolledBackError: AWS rolled the update back; the earlier model still serves.
            EndpointError: the endpoint failed, does not answer, or is in a state that a person must resolve.
            PredictionError: the number of probabilities differs from the sample's num_classes.
            ResourceBusyError: a change is still being applied after `time_limit_s`.

        """
        self._let_logs_expire()
        self._deadline = time.time() + self._limit_s
        return self._advance()

    def _let_logs_expire(self) -> None:
        """Create the log group with a retention before SageMaker creates it without; continue if the role may not."""
        from image_classifier.aws.client_errors import is_access_denied
        from image_classifier.aws.log_groups import ensure_log_group
        from image_classifier.aws.names import endpoint_log_group

        tags = {tag["Key"]: tag["Value"] for tag in self.config.get("Tags", ())}
        try:
            ensure_log_group(client(self, "logs"), endpoint_log_group(self.config["EndpointName"]), tags=tags)
        except ClientError as error:
            if not is_access_denied(error):
                raise
            self.log.warning("The endpoint's logs never expire; update the CloudFormation stack: %s", error)

    @with_our_errors
    def execute_complete(
        self,
        context: Context,  # noqa: ARG002
        event: dict[str, Any] | None = None,
        step: "EndpointStep" = "waiting",
        deadline: float = 0.0,
    ) -> dict[str, Any]:
        """Continue after the trigger's event."""
        if event is None:
            raise EndpointError("The trigger ended without an event; run this task again: it continues there.")
        if event["status"] == "overdue":
            self._give_up()
        self._deadline = deadline
        return self._conclude(step)

    def _advance(self) -> dict[str, Any]:
        from image_classifier.deploy import endpoint

        step = endpoint.ensure_endpoint(self.hook.conn, self.config)
        if step == "unchanged":
            return self._result(step)
        if self.deferrable:
            self._wait_in_triggerer(step)
        self._wait_here()
        return self._conclude(step)

    def _conclude(self, step: "EndpointStep") -> dict[str, Any]:
        """Check that the endpoint serves our config after a change to it; after other steps take the next one."""
        from image_classifier.deploy import endpoint

        if step in ("waiting", "deleted"):
            return self._advance()
        endpoint.check_serves(self._describe(), endpoint_config=self.config["EndpointConfigName"])
        return self._result(step)

    def _wait_in_triggerer(self, step: "EndpointStep") -> None:
        from image_classifier_airflow.triggers.hosting import EndpointTrigger

        trigger = EndpointTrigger(
            endpoint=self.config["EndpointName"],
            poll_interval_s=self.poll_interval_s,
            deadline=self._deadline,
            **connection_arguments(self),
        )
        self.defer(trigger=trigger, method_name="execute_complete", kwargs={"step": step, "deadline": self._deadline})

    def _wait_here(self) -> None:
        from image_classifier.deploy import endpoint

        while not endpoint.is_stable(self._describe()):
            if time.time() > self._deadline:
                self._give_up()
            time.sleep(self.poll_interval_s)

    def _give_up(self) -> NoReturn:
        message = (
            f"Endpoint {self.config['EndpointName']} is still being changed after {self._limit_s} s; it goes on "
            "without this task: look at it in the SageMaker console, then run this task again."
        )
        raise ResourceBusyError(message)

    def _describe(self) -> Any:
        from image_classifier.deploy import endpoint

        return endpoint.describe_endpoint(self.hook.conn, self.config["EndpointName"])

    def _result(self, step: "EndpointStep") -> dict[str, Any]:
        if self.sample is not None:
            self._ask_about(**self.sample)
        return {"name": self.config["EndpointName"], "outcome": step}

    def _ask_about(self, *, bucket: str, key: str, num_classes: int) -> None:
        from image_classifier.aws.s3 import read_written
        from image_classifier.deploy import invocation

        name = self.config["EndpointName"]
        image = read_written(client(self, "s3"), bucket=bucket, key=key)
        try:
            answer = invocation.invoke(client(self, "sagemaker-runtime"), endpoint=name, image=image)
        except ClientError as error:
            message = f"Endpoint {name} is in service and does not answer about s3://{bucket}/{key}: {error}"
            raise EndpointError(message) from error
        invocation.check_answer(answer, endpoint=self._describe(), num_classes=num_classes)
        self.log.info("Endpoint %s: %s answers with %d probabilities", name, answer.variant, num_classes)

    @property
    def _limit_s(self) -> int:
        from image_classifier.deploy.rollout import rollout_limit_s

        return self.time_limit_s + rollout_limit_s(self.config)
