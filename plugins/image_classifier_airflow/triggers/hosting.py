"""Waits in the triggerer until no change of an endpoint is in progress."""

from collections.abc import Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import UNREACHABLE, is_absent, is_transient
from image_classifier.deploy.endpoint import is_stable
from image_classifier_airflow.triggers.polling import PollingTrigger


class EndpointTrigger(PollingTrigger):
    """A trigger with one event: {"status": "finished" | "overdue", "endpoint": name}.

    A user's kill leaves the endpoint as it is: an update in progress either completes or is rolled back by AWS, and the
    next run of the task handles both.
    """

    def __init__(self, *, endpoint: str, **arguments: Any) -> None:
        """Store the endpoint's name; see `PollingTrigger` for the rest."""
        super().__init__(**arguments)
        self.endpoint = endpoint
        self._status = ""

    def subject(self) -> dict[str, Any]:
        return {"endpoint": self.endpoint}

    async def watch(self) -> dict[str, Any] | None:
        """Describe the endpoint until no change is in progress, or until the deadline."""
        async with await self.client(SageMakerHook) as sagemaker:
            return await self.poll(lambda: self._look(sagemaker))

    async def _look(self, sagemaker: Any) -> dict[str, Any] | None:
        try:
            endpoint: Mapping[str, Any] | None = await sagemaker.describe_endpoint(EndpointName=self.endpoint)
        except (ClientError, *UNREACHABLE) as error:
            if not (isinstance(error, ClientError) and is_absent(error)):
                if not is_transient(error):
                    raise
                self.log.info("SageMaker did not answer, asking again: %s", error)
                return None
            endpoint = None
        status = endpoint["EndpointStatus"] if endpoint else "absent"
        if status != self._status:
            self._status = status
            self.log.info("Endpoint %s: %s", self.endpoint, status)
        return {"status": "finished", **self.subject()} if is_stable(endpoint) else None
