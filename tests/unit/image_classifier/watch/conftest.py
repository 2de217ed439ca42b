"""Provides the checks of one classifier, with a bucket in memory and chosen differences."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest

from image_classifier.classify_existing.records import Target
from image_classifier.watch import classifier_watch
from image_classifier.watch.classifier_watch import Watch
from image_classifier.watch.restore import Difference


@pytest.fixture
def watch(s3, monkeypatch):
    """Run the checks, an hour times `hours` from now; returns the findings and the names of those that were sent.

    `differences` are what the comparison finds; messages can be sent unless `can_tell` is False.
    """
    found: list[Difference] = []
    deployment = SimpleNamespace(training_job="job-1", trigger_mode="direct")
    monkeypatch.setattr(classifier_watch, "read_deployment", lambda *_, **__: deployment)
    monkeypatch.setattr(classifier_watch, "differences", lambda *_: found)
    events = []
    functions = SimpleNamespace(invoke=lambda **request: events.append(request))
    sagemaker = boto3.client("sagemaker", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")

    def run(*, hours=1, can_tell=True, **changed):
        clients = SimpleNamespace(s3=s3, functions=functions, sagemaker=sagemaker)
        checks = Watch(clients, Target("pets", "pictures"), "report", lambda: False, **changed)
        told = []
        findings = checks.run(
            tell=lambda sentences: told.extend(sentences) or can_tell, now=datetime.now(UTC) + timedelta(hours=hours)
        )
        return findings, [name for name, sentence in findings.items() if sentence in told]

    run.functions = functions
    run.differences, run.events, run.sagemaker, run.deployment = found, events, sagemaker, deployment
    return run
