"""Implements the tasks that make the data set: the listing, a shard, and the version in S3."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.run_params import RunParams, with_run_params
from image_classifier_airflow.assets import announce
from image_classifier_airflow.links import images_link
from image_classifier_airflow.page_links import dataset_page
from image_classifier_airflow.steps import clients

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from image_classifier.prepare.shards.listing import Listing

log = logging.getLogger(__name__)

FIGURES = ("num_classes", "num_training_samples", "num_validation_samples", "num_test_samples", "report_key")

Params = Mapping[str, Any]
Json = dict[str, Any]


class PreparationSteps:
    """The steps of one classifier's Dag that prepare its images; what they pass on are names and counts."""

    def __init__(self, classifier: Classifier) -> None:
        """Keep the classifier as its file describes it; a run's params come with the run."""
        self._classifier = classifier
        self.links = {"prepare_dataset": [images_link(classifier), dataset_page(classifier.name)]}

    def list_images(self, params: Params, ti: Any) -> list[list[Any]]:
        """List the source, and divide the images that must be read into shards.

        Nothing is created if the file, the params or the layout of the source are wrong.

        Returns:
            The arguments of each mapped task of `prepare_shard`; none if another runner prepares the images. Airflow
            maps over nothing but a task's own result, so that the listing is an XCom of its own, ``listing``. So is the
            config of the processing job, ``processing``, if one prepares the images; empty if no image must be read.

        """
        listing = self._listed(params)
        ti.xcom_push(key="listing", value=listing.model_dump(mode="json"))
        if listing.runner == "processing":
            ti.xcom_push(key="processing", value=self._processing(listing, params))
        return [[listing.run, number] for number in range(listing.shards if listing.runner == "mapped" else 0)]

    def prepare_shard(self, run: str, number: int) -> Json:
        """Prepare the images of one shard; a second run continues where the first one stopped."""
        from dataclasses import asdict

        from image_classifier.prepare.shards.shard import prepare_shard

        settings = Settings.from_env()
        result = prepare_shard(
            number,
            classifier=self._classifier.name,
            run=run,
            s3=self._s3,
            bucket=settings.bucket,
            data_folder=settings.data_folder,
            on_progress=log.info,
        )
        return asdict(result)

    def prepare_dataset(self, listing: Json | None = None, *, params: Params, outlet_events: Any = None) -> Json:
        """Prepare the images that no other task has prepared, and write the data set's version to S3."""
        from image_classifier.prepare.dataset import finish_dataset
        from image_classifier.prepare.shards.listing import Listing
        from image_classifier_airflow.s3_in_processes import S3Connections

        listed = Listing.model_validate(listing) if listing else self._listed(params)
        dataset = finish_dataset(
            self._classifier.name,
            listed,
            s3=self._s3,
            settings=Settings.from_env(),
            reset_labels=RunParams.from_params(params).reset_labels,
            connect=S3Connections(self._classifier.aws_conn_id),
            on_progress=log.info,
        )
        figures = dataset.model_dump(mode="json", include=set(FIGURES))
        announce(outlet_events, self._classifier, kind="dataset", version=dataset.fingerprint, figures=figures)
        return dataset.model_dump(mode="json")

    def _processing(self, listing: "Listing", params: Params) -> Json:
        from image_classifier.prepare.processing.request import processing_request
        from image_classifier.prepare.processing.work import Work

        classifier, region = with_run_params(self._classifier, params), self._s3.meta.region_name
        if not listing.shards:
            return {}
        work = Work(classifier.name, listing.run, listing.shards, listing.unread)
        return {
            "request": processing_request(classifier, work, settings=Settings.from_env(), region=region),
            "classifier": classifier.name,
            "time_limit_s": classifier.preparation.time_limit_s,
        }

    def _listed(self, params: Params) -> "Listing":
        from image_classifier.plan.preflight import check_deployment
        from image_classifier.prepare.dataset import list_dataset

        classifier, settings = with_run_params(self._classifier, params), Settings.from_env()
        s3, reset_labels = self._s3, RunParams.from_params(params).reset_labels
        found = clients.of_a_classifier(self._classifier.aws_conn_id)
        check_deployment(found, classifier=classifier, settings=settings, region=s3.meta.region_name)
        return list_dataset(classifier, s3=s3, settings=settings, reset_labels=reset_labels, on_progress=log.info)

    @property
    def _s3(self) -> "S3Client":
        return clients.s3(self._classifier.aws_conn_id)
