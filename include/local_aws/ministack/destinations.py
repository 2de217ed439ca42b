"""Sends the record of an asynchronous invocation to its destination: a queue or another function."""

import json
import logging
from collections.abc import Callable

from local_aws.clients import BotoCoreError, ClientError, client

log = logging.getLogger(__name__)


class Destinations:
    """Sends records of finished invocations. As on AWS, a record is dropped if its destination does not exist."""

    def __init__(self, endpoint_url: str, *, invoke: Callable[[str, object], object]) -> None:
        self._endpoint_url = endpoint_url
        self._invoke = invoke

    def send(self, arn: str, record: object) -> bool:
        """Send `record`; return False if it could not be sent."""
        service = arn.split(":")[2]
        if service == "sqs":
            return self._send_to_queue(arn, record)
        if service == "lambda":
            self._invoke(arn, record)
            return True
        log.error("Destination %s: only queues and functions are known here; the record is dropped", arn)
        return False

    def _send_to_queue(self, arn: str, record: object) -> bool:
        # Sent as a request, so that the message is saved like any other.
        sqs = client("sqs", endpoint_url=self._endpoint_url)
        try:
            url = sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(record))
        except (BotoCoreError, ClientError) as error:
            log.error("Destination %s: %s; the record is dropped", arn, error)
            return False
        return True
