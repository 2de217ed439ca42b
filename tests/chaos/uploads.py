"""Uploads images at a steady pace from several threads, some of them twice with another picture."""

import hashlib
import itertools
import random
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from tests.chaos.airflow_runs import until

THREADS = 6
REPLACED_EVERY = 25  # one name in so many is uploaded again, with another picture,
REPLACED_AFTER = 40  # after so many other uploads
WAIT_S = 0.5  # before an upload that failed is tried again: the local AWS may be down
LIMIT_S = 900


class Uploads:
    """Uploads `number` images below one folder, in `seconds` if they never wait; an upload that fails is tried again.

    Attributes:
        names: of the images, below incoming/.
        repeated: calls that failed and were made again.

    """

    def __init__(self, aws: Any, *, prefix: str, number: int, seconds: float, pictures: Sequence[bytes]) -> None:
        self._aws, self._prefix, self._pictures = aws, prefix, pictures
        self.names = [f"{index:05}.png" for index in range(number)]
        self._order = list(_order(self.names, pictures=len(pictures)))
        self._pause_s = seconds / len(self._order)
        self._next = itertools.count()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        self._done, self.repeated, self._allowed = 0, 0, 0
        self._more = threading.Condition()
        self.ended = 0.0

    def __enter__(self) -> "Uploads":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, error: object, *_: object) -> None:
        """Wait for the last upload, or end at once after an error."""
        if error is not None:
            self._over.set()
        self.allow(1.0)
        for thread in self._threads:
            thread.join(LIMIT_S)
        self.ended = time.time()

    def allow(self, share: float) -> None:
        """Go on up to this share of the uploads, and wait there."""
        with self._more:
            self._allowed = self._number(share)
            self._more.notify_all()

    def reach(self, share: float) -> None:
        """Go on, and wait until this share of the uploads is done."""
        self.allow(max(share, self._allowed / len(self._order)))
        until(lambda: self._done >= self._number(share), seconds=LIMIT_S, what=f"{share:.0%} of the uploads")

    def names_until(self, share: float) -> set[str]:
        """Return the names that this share of the uploads contains."""
        return {name for name, _ in self._order[: self._number(share)]}

    def _number(self, share: float) -> int:
        return round(share * len(self._order))

    def _work(self) -> None:
        while (place := next(self._next)) < len(self._order):
            with self._more:
                self._more.wait_for(lambda place=place: place < self._allowed)
            if self._over.wait(self._pause_s * THREADS):
                return
            self._put(*self._order[place])
            with self._lock:
                self._done += 1

    def _put(self, name: str, picture: int) -> None:
        while not self._over.is_set():
            try:
                key, body = self._prefix + name, self._pictures[picture]
                self._aws.s3.put_object(Bucket=self._aws.bucket, Key=key, Body=body)
            except (ClientError, BotoCoreError):
                with self._lock:
                    self.repeated += 1
                self._over.wait(WAIT_S)
            else:
                return


def by_etag(pictures: Sequence[bytes]) -> dict[str, int]:
    """The index of each picture by the ETag that S3 gives to its object."""
    return {hashlib.md5(picture).hexdigest(): index for index, picture in enumerate(pictures)}


def _order(names: Sequence[str], *, pictures: int) -> Iterator[tuple[str, int]]:
    """Every name with the index of its picture; a few names come again later, with another picture."""
    choice, again = random.Random(3), list[tuple[int, str, int]]()
    for place, name in enumerate(names):
        first, second = choice.sample(range(pictures), 2)
        yield name, first
        if place % REPLACED_EVERY == 0:
            again.append((place + REPLACED_AFTER, name, second))
        while again and again[0][0] <= place:
            yield again.pop(0)[1:]
    yield from (rest[1:] for rest in again)
