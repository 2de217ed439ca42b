"""Sends the record of an asynchronous invocation to its destination: a queue or another function."""

import json
import logging
from collections.abc import Callable, Mapping

from local_aws.clients import BotoCoreError, ClientError, client
from local_aws.ministack import execution_role

log = logging.getLogger(__name__)

_ACTIONS = {"sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}
MessageAttributes = Mapping[str, Mapping[str, str]]


class Destinations:
    """Sends records of finished invocations. As on AWS, a record is dropped if it cannot be sent."""

    def __init__(self, endpoint_url: str, *, invoke: Callable[[str, object], object]) -> None:
        self._endpoint_url = endpoint_url
        self._invoke = invoke

    def send(self, arn: str, record: object, *, role_arn: str, attributes: MessageAttributes | None = None) -> bool:
        """Send `record` as the role allows it; return False if it could not be sent. A queue gets the attributes."""
        service = arn.split(":")[2]
        if service not in _ACTIONS:
            log.error("Destination %s: only queues and functions are known here; the record is dropped", arn)
            return False
        if not execution_role.allows(role_arn, _ACTIONS[service], resource=arn):
            log.error("Destination %s: %s does not allow %s; the record is dropped", arn, role_arn, _ACTIONS[service])
            return False
        if service == "sqs":
            return self._send_to_queue(arn, record, attributes=attributes or {})
        self._invoke(arn, record)
        return True

    def _send_to_queue(self, arn: str, record: object, *, attributes: MessageAttributes) -> bool:
        # Sent as a request, so that the message is saved like any other.
        sqs = client("sqs", endpoint_url=self._endpoint_url)
        try:
            url = sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(record), MessageAttributes=attributes)
        except (BotoCoreError, ClientError) as error:
            log.error("Destination %s: %s; the record is dropped", arn, error)
            return False
        return True
