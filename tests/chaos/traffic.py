"""Calls an endpoint continuously, without retries."""

import threading
from collections import Counter
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError


class Traffic:
    """Calls from the start of the block to its end."""

    def __init__(self, runtime: Any, *, endpoint: str, image: bytes) -> None:
        self._runtime, self._endpoint, self._image = runtime, endpoint, image
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._call, daemon=True)
        self.answered: Counter[str] = Counter()  # by the variant that answered, which is the model's training job
        self.failures: list[str] = []

    @property
    def calls(self) -> int:
        return self.answered.total() + len(self.failures)

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _call(self) -> None:
        request = {"EndpointName": self._endpoint, "ContentType": "image/jpeg", "Body": self._image}
        while not self._over.is_set():
            try:
                answer = self._runtime.invoke_endpoint(**request)
                answer["Body"].read()
                self.answered[answer["InvokedProductionVariant"]] += 1
            except (ClientError, BotoCoreError) as error:
                self.failures.append(str(error))
