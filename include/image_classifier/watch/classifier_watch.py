"""Runs every check of one classifier and returns the open findings; a failing check does not stop the others."""

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import get_args

from image_classifier.aws.client_errors import described
from image_classifier.aws.clients import Clients
from image_classifier.aws.names import function_name
from image_classifier.classify_existing.records import Target
from image_classifier.connect.deployment import Deployment, read_deployment
from image_classifier.connect.function_versions import ALIAS
from image_classifier.watch.blind_sample import sample_below
from image_classifier.watch.canary import CanaryCheck
from image_classifier.watch.full_pass import GRACE, FullPass, forget_answered, is_due
from image_classifier.watch.record_index import compact
from image_classifier.watch.replaced import ReplacedImages
from image_classifier.watch.restore import DifferenceName, Reaction, differences, restore_or_report
from image_classifier.watch.seen import keep_seen
from image_classifier.watch.state import WatchState, read_state, write_state

log = logging.getLogger(__name__)

DIFFERENCES: tuple[str, ...] = get_args(DifferenceName)
WITHOUT_RECORD, CANARY, BELOW_FLOOR = "images without a record", "canary", "accuracy below its floor"
REPLAYS_BEFORE_FINDING = 2  # a single replay is normal after a lost event, and not a finding


@dataclass
class Findings:
    """The open findings of a run.

    Attributes:
        open: a sentence for people, by a name that is the same in every run.
        unknown: names of findings that this run did not look for.

    """

    open: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    @contextmanager
    def of(self, check: str, *names: str) -> Iterator[None]:
        """Convert a check's error to a finding; the findings with the other `names` are then unknown."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever one check raises is a finding, and the others run
            self.unknown.update(names)
            log.error("The check %r failed: %s", check, traceback.format_exc())
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
        is_paused: the file's trigger is paused; a stored deployment says it instead, as the file takes effect in a run.
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

    def run(self, *, tell: Callable[[Sequence[str]], bool], now: datetime | None = None) -> dict[str, str]:
        """Run every check; return the open findings, by name.

        Args:
            tell: sends sentences about the findings that no earlier run has sent, and returns whether it could; it is
                called before the state is stored, so that a finding is rather sent twice than not at all.
            now: the present time.

        Raises:
            StorageError: the state cannot be read.
            ResourceBusyError: another run wrote the state in the meantime.

        """
        now = now or datetime.now(UTC)
        s3, bucket, classifier = self.clients.s3, self.target.bucket, self.target.classifier
        state, etag = read_state(s3, bucket=bucket, classifier=classifier)
        findings, deployment, is_deployed = Findings(), None, True
        with findings.of("compare with the deployment", *DIFFERENCES):
            deployment = read_deployment(s3, bucket=bucket, classifier=classifier)
            is_deployed = deployment is not None or self._has_function()
            self._compare(deployment, findings)
        is_paused = deployment.trigger_mode == "paused" if deployment else self.is_paused
        with findings.of("images without a record", WITHOUT_RECORD):
            if is_deployed and not is_paused:
                self._find_missing(state, findings, now=now)
            else:
                log.info("%s has no function, or its trigger is paused: uploads wait", classifier)
        with findings.of("index of the records"):
            self._compact(may_replay=is_deployed, now=now)
        with findings.of("canary", CANARY):
            self._follow_canary(state, findings, is_wanted=deployment is not None and not is_paused, now=now)
        with findings.of("accuracy in the blind sample", BELOW_FLOOR):
            self._check_sample(state, findings, deployment=deployment)
        with findings.of("what the pages show"):
            keep_seen(self.clients, state, bucket=bucket, classifier=classifier, findings=findings.open, now=now)
        self._report(state, findings, tell=tell)
        write_state(s3, state, bucket=bucket, classifier=classifier, etag=etag)
        return findings.open

    @staticmethod
    def _report(state: WatchState, findings: Findings, *, tell: Callable[[Sequence[str]], bool]) -> None:
        """Send new findings; those that this run did not look for stay reported, so that they are not sent again."""
        new = [name for name in findings.open if name not in state.reported]
        told = new if new and tell([findings.open[name] for name in new]) else []
        kept = findings.open.keys() | findings.unknown
        state.reported = sorted([*(name for name in state.reported if name in kept), *told])

    def _compare(self, deployment: Deployment | None, findings: Findings) -> None:
        if not self.may_compare:
            log.info("A run of %s is active: the deployment is not compared", self.target.classifier)
            findings.unknown.update(DIFFERENCES)
            return
        if deployment is None:
            log.info("No deployment of %s is stored: nothing is compared", self.target.classifier)
            return
        for difference in differences(self.clients, deployment):
            if sentence := restore_or_report(difference, reaction=self.reaction):
                findings.open[difference.what] = sentence

    def _compact(self, *, may_replay: bool, now: datetime) -> None:
        s3, bucket, classifier = self.clients.s3, self.target.bucket, self.target.classifier
        look_at = ReplacedImages(self.clients.functions, s3, self.target).replay if may_replay else len
        done = compact(s3, bucket=bucket, classifier=classifier, now=now, is_over=self.is_over, look_at=look_at)
        log.info("%d log entries were moved to the index", done.entries)

    def _follow_canary(self, state: WatchState, findings: Findings, *, is_wanted: bool, now: datetime) -> None:
        check = CanaryCheck(self.clients.s3, self.target, limit_s=self.canary_s or 0)
        if self.canary_s is None or not is_wanted:
            if state.canary is not None:
                check.delete()
                state.canary = None
            return
        state.canary, sentence = check.run(state.canary, now=now)
        if sentence:
            findings.open[CANARY] = sentence

    def _check_sample(self, state: WatchState, findings: Findings, *, deployment: Deployment | None) -> None:
        if self.floor is None or deployment is None:
            state.sampled = None
            return
        state.sampled = sample_below(
            self.clients.s3,
            self.target,
            training_job=deployment.training_job,
            floor=self.floor,
            before=state.sampled,
        )
        if state.sampled.sentence:
            findings.open[BELOW_FLOOR] = state.sampled.sentence

    def _find_missing(self, state: WatchState, findings: Findings, *, now: datetime) -> None:
        if is_due(state, now=now):
            whole = FullPass(self.clients.functions, self.clients.s3, self.target, grace=self.grace)
            result = whole.run(state, now=now, is_over=self.is_over)
            log.info("Images without a current record: %s", result)
            if result.given_up:
                findings.open["images given up"] = f"{result.given_up} image(s) got a record with status failed."
        else:
            log.info("The last full pass over all images was at %s; the next one is not due yet", state.last_pass)
            forget_answered(self.clients.s3, self.target, state)
        self._report_waiting(state, findings)

    @staticmethod
    def _report_waiting(state: WatchState, findings: Findings) -> None:
        waiting = [key for key, replayed in state.replayed.items() if replayed.attempts >= REPLAYS_BEFORE_FINDING]
        if waiting:
            findings.open[WITHOUT_RECORD] = (
                f"{len(waiting)} image(s) below incoming/, such as {waiting[0]}, have no record after "
                f"{REPLAYS_BEFORE_FINDING} replays or more. Look at the function's log group."
            )

    def _has_function(self) -> bool:
        name = function_name(self.target.classifier)
        return described(lambda: self.clients.functions.get_alias(FunctionName=name, Name=ALIAS)) is not None
