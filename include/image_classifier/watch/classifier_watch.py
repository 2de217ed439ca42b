"""Runs every check of one classifier and returns the open findings; a failing check does not stop the others."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.aws.clients import Clients
from image_classifier.classify_existing.records import Target
from image_classifier.connect.deployment import read_deployment
from image_classifier.contracts.errors import ImageClassifierError
from image_classifier.watch.blind_sample import sample_below
from image_classifier.watch.canary import CanaryCheck
from image_classifier.watch.full_pass import GRACE, FullPass, is_due
from image_classifier.watch.record_index import compact
from image_classifier.watch.replaced import ReplacedImages
from image_classifier.watch.restore import Reaction, differences, restore_or_report
from image_classifier.watch.seen import keep_seen
from image_classifier.watch.state import WatchState, read_state, write_state

log = logging.getLogger(__name__)

REPLAYS_BEFORE_FINDING = 2  # a single replay is normal after a lost event, and not a finding


@dataclass
class Findings:
    """The open findings: a name that is the same in every run, with a sentence for people."""

    open: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def of(self, check: str) -> Iterator[None]:
        """Convert a check's error to a finding."""
        try:
            yield
        except (ImageClassifierError, ClientError, BotoCoreError) as error:
            log.exception("The check %r failed", check)
            self.open[f"{check} failed"] = f"The check {check!r} failed: {error}"


@dataclass(frozen=True)
class Watch:
    """One run of the checks of one classifier.

    Attributes:
        clients: the classifier's clients.
        target: the classifier and the bucket.
        reaction: restore changes made outside the Dags, or report them.
        is_over: whether the time of this run has passed; the next run continues.
        may_compare: False while a run of the classifier's Dag is active, which changes the deployment.
        is_paused: the classifier's trigger is paused, so images wait and are not replayed.
        grace: the age at which an image without a record is replayed.
        floor: the least accuracy that the classifier's file accepts; None if it names none.
        canary_s: a canary image that has no prediction after so many seconds is a finding; None uploads none.

    """

    clients: Clients
    target: Target
    reaction: Reaction
    is_over: Callable[[], bool]
    may_compare: bool = True
    is_paused: bool = False
    grace: timedelta = GRACE
    floor: float | None = None
    canary_s: int | None = None

    def run(self, *, now: datetime | None = None) -> tuple[dict[str, str], list[str]]:
        """Run every check.

        Returns:
            The open findings, by name, and the names of those that no earlier run reported.

        Raises:
            StorageError: the state cannot be read.
            ResourceBusyError: another run wrote the state in the meantime.

        """
        now = now or datetime.now(UTC)
        s3, bucket, classifier = self.clients.s3, self.target.bucket, self.target.classifier
        state, etag = read_state(s3, bucket=bucket, classifier=classifier)
        findings = Findings()
        with findings.of("compare with the deployment"):
            self._compare(findings)
        with findings.of("index of the records"):
            replaced = ReplacedImages(self.clients.functions, s3, self.target)
            done = compact(
                s3, bucket=bucket, classifier=classifier, now=now, is_over=self.is_over, look_at=replaced.replay
            )
            log.info("%d log entries were moved to the index", done.entries)
        with findings.of("images without a record"):
            self._find_missing(state, findings, now=now)
        with findings.of("canary"):
            self._follow_canary(state, findings, now=now)
        with findings.of("accuracy in the blind sample"):
            self._check_sample(state, findings)
        with findings.of("what the pages show"):
            keep_seen(self.clients, state, bucket=bucket, classifier=classifier, findings=findings.open, now=now)
        new = [name for name in findings.open if name not in state.reported]
        state.reported = sorted(findings.open)
        write_state(s3, state, bucket=bucket, classifier=classifier, etag=etag)
        return findings.open, new

    def _compare(self, findings: Findings) -> None:
        if not self.may_compare:
            log.info("A run of %s is active: the deployment is not compared", self.target.classifier)
            return
        deployment = read_deployment(self.clients.s3, bucket=self.target.bucket, classifier=self.target.classifier)
        if deployment is None:
            log.info("No deployment of %s is stored: nothing is compared", self.target.classifier)
            return
        for difference in differences(self.clients, deployment):
            if sentence := restore_or_report(difference, reaction=self.reaction):
                findings.open[difference.what] = sentence

    def _follow_canary(self, state: WatchState, findings: Findings, *, now: datetime) -> None:
        check = CanaryCheck(self.clients.s3, self.target, limit_s=self.canary_s or 0)
        if self.canary_s is None or self.is_paused:
            if state.canary is not None:
                check.delete()
                state.canary = None
            return
        deployment = read_deployment(self.clients.s3, bucket=self.target.bucket, classifier=self.target.classifier)
        if deployment is None:
            return
        state.canary, sentence = check.run(state.canary, now=now)
        if sentence:
            findings.open["canary"] = sentence

    def _check_sample(self, state: WatchState, findings: Findings) -> None:
        s3, bucket, classifier = self.clients.s3, self.target.bucket, self.target.classifier
        deployment = read_deployment(s3, bucket=bucket, classifier=classifier) if self.floor is not None else None
        if self.floor is None or deployment is None:
            state.sampled = None
            return
        state.sampled = sample_below(
            s3, self.target, training_job=deployment.training_job, floor=self.floor, before=state.sampled
        )
        if state.sampled.sentence:
            findings.open["accuracy below its floor"] = state.sampled.sentence

    def _find_missing(self, state: WatchState, findings: Findings, *, now: datetime) -> None:
        if self.is_paused:
            log.info("The trigger of %s is paused: uploads wait", self.target.classifier)
            return
        if not is_due(state, now=now):
            log.info("The last full pass over all images was at %s; the next one is not due yet", state.last_pass)
            return
        whole = FullPass(self.clients.functions, self.clients.s3, self.target, grace=self.grace)
        result = whole.run(state, now=now, is_over=self.is_over)
        log.info("Images without a current record: %s", result)
        waiting = [key for key, replayed in state.replayed.items() if replayed.attempts >= REPLAYS_BEFORE_FINDING]
        if waiting:
            findings.open["images without a record"] = (
                f"{len(waiting)} image(s) below incoming/, such as {waiting[0]}, have no record after "
                f"{REPLAYS_BEFORE_FINDING} replays or more. Look at the function's log group."
            )
        if result.given_up:
            findings.open["images given up"] = f"{result.given_up} image(s) got a record with status failed."
