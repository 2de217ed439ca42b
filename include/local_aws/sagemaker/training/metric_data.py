"""Reads a training job's metrics from its log, shows them in DescribeTrainingJob and sends them to CloudWatch."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.sagemaker.training.progress import TRAINING_JOB, Metrics

if TYPE_CHECKING:
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Document, MetricDatum, MetricValue
    from local_aws.sagemaker.store import Store

log = logging.getLogger(__name__)

# Namespace and dimension as the SageMaker SDK's TrainingJobAnalytics reads them (sagemaker/analytics.py).
NAMESPACE = "/aws/sagemaker/TrainingJobs"
DIMENSION = "TrainingJobName"
MAX_PUT = 1_000  # values of one PutMetricData
MAX_PENDING = 100_000  # while CloudWatch does not answer; then the oldest are dropped


class JobMetrics:
    """Every value in the log of the job's MetricDefinitions. `read_lines` may be called from another thread."""

    def __init__(self, job: Document, *, aws: Aws, store: Store) -> None:
        """Create it without values."""
        self._job = job["TrainingJobName"]
        self._aws = aws
        self._store = store
        self._values = Metrics(job["AlgorithmSpecification"].get("MetricDefinitions", []))
        self._written: list[MetricValue] = []
        self._pending: list[MetricDatum] = []
        self._lock = threading.Lock()

    @property
    def epochs(self) -> int:
        """How many epochs are validated according to the log."""
        return self._values.epochs

    @property
    def final(self) -> list[MetricValue]:
        """The last value of each metric, as FinalMetricDataList."""
        return self._values.final()

    def values(self, metric: str) -> list[float]:
        """Return the values of a metric, oldest first."""
        return self._values.values(metric)

    def read_lines(self, lines: list[str]) -> None:
        """Read the values in new lines of the log."""
        found = self._values.read(lines, now=time.time())
        dimensions = [{"Name": DIMENSION, "Value": self._job}]
        with self._lock:
            self._pending += [{**value, "Dimensions": dimensions} for value in found]
            del self._pending[:-MAX_PENDING]

    def write(self) -> None:
        """Store the last values in the document, and send every new one to CloudWatch."""
        self.send()
        final = self.final
        if final != self._written:
            self._store.change(TRAINING_JOB.kind, self._job, lambda job: job.update(FinalMetricDataList=final))
            self._written = final

    def send(self) -> None:
        """Send new values to CloudWatch; they stay pending if it does not answer."""
        with self._lock:
            values, self._pending = self._pending, []
        for start in range(0, len(values), MAX_PUT):
            try:
                self._aws.metrics.put_metric_data(Namespace=NAMESPACE, MetricData=values[start : start + MAX_PUT])
            except (BotoCoreError, ClientError) as error:
                log.debug("Metrics of %s cannot be sent at present: %s", self._job, error)
                with self._lock:
                    self._pending = values[start:] + self._pending
                return
