"""The stack the start deploys: every setting, every protection, also those MiniStack drops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws import stack

if TYPE_CHECKING:
    import pytest
    from conftest import MiniStack

SETTINGS = {
    "IMAGE_CLASSIFIER_BUCKET",
    "IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN",
    "IMAGE_CLASSIFIER_HOSTING_ROLE_ARN",
    "IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN",
    "IMAGE_CLASSIFIER_FAILURE_QUEUE_ARN",
    "IMAGE_CLASSIFIER_FUNCTION_RUNTIME",
    "IMAGE_CLASSIFIER_FUNCTION_ARCHITECTURE",
}


def test_the_outputs_are_the_settings(ministack: MiniStack) -> None:
    assert set(ministack.settings) == SETTINGS


def test_deploying_again_changes_nothing(ministack: MiniStack, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="local_aws"):
        assert stack.deploy(ministack.url) == ministack.settings
    assert caplog.messages == []


def test_the_bucket_has_the_lifecycle_that_ministack_drops(ministack: MiniStack) -> None:
    rules = ministack.client("s3").get_bucket_lifecycle_configuration(Bucket=ministack.bucket)["Rules"]
    assert {rule["ID"]: rule["Status"] for rule in rules} == {"old-versions": "Enabled", "broken-uploads": "Enabled"}


def test_what_somebody_changed_is_put_right_and_logged(ministack: MiniStack, caplog: pytest.LogCaptureFixture) -> None:
    s3 = ministack.client("s3")
    s3.delete_public_access_block(Bucket=ministack.bucket)

    with caplog.at_level("INFO", logger="local_aws"):
        stack.deploy(ministack.url)

    assert s3.get_public_access_block(Bucket=ministack.bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
    assert "PublicAccessBlockConfiguration" in caplog.text
