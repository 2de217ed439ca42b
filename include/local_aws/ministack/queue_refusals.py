"""Refuses a queue with the name of one that was deleted less than 60 seconds ago, as SQS does."""

import time
from collections.abc import Awaitable, Callable, Mapping

from local_aws.ministack.modules import Answer, responses, sqs

NAME_FREE_AFTER_S = 60
_Dispatch = Callable[[str, Mapping[str, object], str], Awaitable[Answer]]


class DeletedNames:
    """The names of deleted queues, and when they were deleted; a restart forgets them."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember no name."""
        self._clock = clock
        self._deleted_at: dict[tuple[str, str, str], float] = {}

    def request(self, original: _Dispatch) -> _Dispatch:
        """Wrap the dispatch of requests to SQS, by which CloudFormation creates no queues."""

        async def checked(action: str, data: Mapping[str, object], queue_url: str) -> Answer:
            if action == "CreateQueue" and self._is_recent(str(data.get("QueueName", ""))):
                message = (
                    "You must wait 60 seconds after deleting a queue before you can create another with the same name."
                )
                raise sqs._Err("QueueDeletedRecently", message)
            answer = await original(action, data, queue_url)
            if action == "DeleteQueue":
                name = str(data.get("QueueUrl") or queue_url).rsplit("/", 1)[-1]
                self._deleted_at[self._scoped(name)] = self._clock()
            return answer

        return checked

    def _is_recent(self, name: str) -> bool:
        deleted_at = self._deleted_at.get(self._scoped(name))
        return deleted_at is not None and self._clock() - deleted_at < NAME_FREE_AFTER_S

    def _scoped(self, name: str) -> tuple[str, str, str]:
        return responses.get_account_id(), responses.get_region(), name
