"""Implements the tasks of the group check: a known image is uploaded, and its prediction record must come."""

import logging
from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import notification_id
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier_airflow.links import records_link
from image_classifier_airflow.page_links import gallery_page
from image_classifier_airflow.steps import clients

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

Json = dict[str, Any]


class CheckSteps:
    """The steps that check one classifier's deployment."""

    def __init__(self, classifier: Classifier) -> None:
        """Store the classifier of the file."""
        self._classifier = classifier
        self.links = {"confirm_prediction": [records_link(classifier), gallery_page(classifier.name)]}

    def plan_check(self, dataset: Json, run_id: str) -> Json:
        """Return the keys of the image to upload and of its record; an earlier record of this run is deleted.

        Returns:
            A dict of ``bucket``, and of the S3 keys ``known_image`` (in the data set), ``image`` (its copy), ``record``
            and ``written`` (a list: image, record and thumbnail).

        """
        from image_classifier.check import upload as check

        bucket = Settings.from_env().bucket
        upload = check.check_upload(self._classifier.name, run_id=run_id)
        check.forget_record(self._s3, bucket=bucket, upload=upload)
        known_image = dataset["check_images"][0]["key"]
        return {
            "bucket": bucket,
            "known_image": known_image,
            "image": upload.image_key,
            "record": upload.record_key,
            "written": [upload.image_key, upload.record_key, upload.thumbnail_key],
        }

    def upload_known_image(self, plan: Json) -> None:
        """Upload the image; invoke the function with it if the file's trigger is paused, because no event does."""
        from image_classifier.check import upload as check

        upload = check.CheckUpload(plan["image"], plan["record"])
        check.upload_known_image(self._s3, bucket=plan["bucket"], known_image=plan["known_image"], upload=upload)
        if self._classifier.trigger == "paused":
            self._invoke_function(plan)

    def _invoke_function(self, plan: Json) -> None:
        from image_classifier.classify_existing.records import Target
        from image_classifier.classify_existing.replays import replay

        target = Target(self._classifier.name, plan["bucket"])
        replay(clients.functions(self._conn), self._s3, target, key=plan["image"])
        log.info("The trigger is paused: invoked the function with s3://%s/%s", plan["bucket"], plan["image"])

    def confirm_prediction(self, plan: Json, job: Json) -> Json:
        """Read the record; if there is none yet, cause another event and fail, so that the next try reads it.

        Returns:
            A dict of ``record`` (its S3 key), ``status``, ``label`` and ``total_ms``.

        Raises:
            PredictionError: there is no record yet, the image was rejected, or another model answered.
            NotificationGoneError: the bucket's event notification was deleted.

        """
        from image_classifier.check import upload as check

        bucket, upload = plan["bucket"], check.CheckUpload(plan["image"], plan["record"])
        if not check.has_record(self._s3, bucket=bucket, upload=upload):
            self._ask_again(plan)
            raise check.missing_record(bucket=bucket, upload=upload, classifier=self._classifier.name)
        record = check.confirm_prediction(self._s3, bucket=bucket, upload=upload, training_job=job["training_job"])
        log.info("%s is %s: %s, %.3f", plan["image"], record.status, record.label, record.confidence)
        return {
            "record": plan["record"],
            "status": record.status,
            "label": record.label,
            "total_ms": record.times.total_ms,
        }

    def _ask_again(self, plan: Json) -> None:
        """Upload the image once more, which an earlier try of the run may have removed."""
        from image_classifier.connect.notification import check_notification_exists

        if self._classifier.trigger != "paused":
            wanted = notification_id(self._classifier.name)
            check_notification_exists(self._s3, bucket=plan["bucket"], notification_id=wanted)
        self.upload_known_image(plan)

    @property
    def _conn(self) -> str:
        return self._classifier.aws_conn_id

    @property
    def _s3(self) -> "S3Client":
        return clients.s3(self._conn)
