"""The hosting tasks: model, endpoint config, endpoint; each may run twice and changes only what differs."""

import time
from typing import Any, NoReturn

from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerEndpointConfigOperator,
    SageMakerEndpointOperator,
    SageMakerModelOperator,
)
from airflow.sdk import Context

from image_classifier.errors import EndpointError, ResourceBusyError
from image_classifier.resources import hosting
from image_classifier_airflow.links import ENDPOINT_CONFIG_LINKS, ENDPOINT_LINKS, MODEL_LINKS
from image_classifier_airflow.triggers.hosting import EndpointTrigger

ONE_HOUR_S = 3600


class ModelOperator(SageMakerModelOperator):
    """Create the model, unless it exists as asked. Returns a dict of name and outcome (created, updated, unchanged)."""

    operator_extra_links = MODEL_LINKS

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Create the model; the provider's operator fails when run twice."""
        return {"name": self.config["ModelName"], "outcome": hosting.ensure_model(self.hook.conn, self.config)}


class EndpointConfigOperator(SageMakerEndpointConfigOperator):
    """Create the endpoint config, unless it exists. Returns a dict of name and outcome (created, unchanged)."""

    operator_extra_links = ENDPOINT_CONFIG_LINKS

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Create the endpoint config; the provider's operator fails when run twice."""
        outcome = hosting.ensure_endpoint_config(self.hook.conn, self.config)
        return {"name": self.config["EndpointConfigName"], "outcome": outcome}


class EndpointOperator(SageMakerEndpointOperator):
    """Bring the endpoint to the requested config and wait until it serves it.

    Creates or updates it, waits for a change under way, replaces a failed one, and calls nothing when it serves the
    config already. The provider's operator calls an update that AWS took back a success; this one raises.

    Returns a dict of name and outcome (created, updated, unchanged).

    Args:
        config: CreateEndpoint's request.
        poll_interval_s: seconds between two looks at the endpoint.
        time_limit_s: how long all waiting may take.
        deferrable: wait in the triggerer, and not on a worker.
        kwargs: the provider's and BaseOperator's arguments.

    """

    operator_extra_links = ENDPOINT_LINKS

    def __init__(
        self,
        *,
        config: dict[str, Any],
        poll_interval_s: int = 10,
        time_limit_s: int = ONE_HOUR_S,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        """Keep what the task needs; `config` may be another task's result."""
        super().__init__(
            config=config,
            check_interval=poll_interval_s,
            max_ingestion_time=time_limit_s,
            deferrable=deferrable,
            **kwargs,
        )
        self.poll_interval_s = poll_interval_s
        self.time_limit_s = time_limit_s

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Take steps, and wait after each, until the endpoint serves the config.

        Raises:
            EndpointRolledBackError: AWS took the update back; the earlier model still serves.
            EndpointError: the endpoint failed, or is in a state that only a person can judge.
            ResourceBusyError: a change is still being applied after `time_limit_s`.

        """
        return self._advance(deadline=time.time() + self.time_limit_s)

    def execute_complete(
        self,
        context: Context,  # noqa: ARG002
        event: dict[str, Any] | None = None,
        step: hosting.EndpointStep = "waiting",
        deadline: float = 0.0,
    ) -> dict[str, Any]:
        """Go on where the trigger left off."""
        if event is None:
            raise EndpointError("The trigger ended without an event; run this task again: it goes on from there.")
        if event["status"] == "overdue":
            self._give_up()
        return self._conclude(step, deadline=deadline)

    def _advance(self, *, deadline: float) -> dict[str, Any]:
        step = hosting.ensure_endpoint(self.hook.conn, self.config)
        if step == "unchanged":
            return self._result(step)
        if self.deferrable:
            self._wait_in_triggerer(step, deadline=deadline)
        self._wait_here(deadline=deadline)
        return self._conclude(step, deadline=deadline)

    def _conclude(self, step: hosting.EndpointStep, *, deadline: float) -> dict[str, Any]:
        """After a change of ours, see whether it serves; after anything else, go on."""
        if step in ("waiting", "deleted"):
            return self._advance(deadline=deadline)
        hosting.check_serves(self._describe(), endpoint_config=self.config["EndpointConfigName"])
        return self._result(step)

    def _wait_in_triggerer(self, step: hosting.EndpointStep, *, deadline: float) -> None:
        trigger = EndpointTrigger(
            endpoint=self.config["EndpointName"],
            poll_interval_s=self.poll_interval_s,
            deadline=deadline,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
        )
        self.defer(trigger=trigger, method_name="execute_complete", kwargs={"step": step, "deadline": deadline})

    def _wait_here(self, *, deadline: float) -> None:
        while not hosting.is_settled(self._describe()):
            if time.time() > deadline:
                self._give_up()
            time.sleep(self.poll_interval_s)

    def _give_up(self) -> NoReturn:
        message = (
            f"Endpoint {self.config['EndpointName']} is still being changed after {self.time_limit_s} s; it goes on "
            "without this task: look at it in the SageMaker console, then run this task again."
        )
        raise ResourceBusyError(message)

    def _describe(self) -> Any:
        return hosting.describe_endpoint(self.hook.conn, self.config["EndpointName"])

    def _result(self, step: hosting.EndpointStep) -> dict[str, Any]:
        return {"name": self.config["EndpointName"], "outcome": step}
