"""Implements the tasks of a classifier's Dag without operators of their own; they can be repeated.

Each step imports what it calls: every task of the Dag reads this file, and needs one step of it.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import Keys, endpoint_name
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.run_params import RunParams, with_run_params
from image_classifier_airflow.assets import announce_endpoint
from image_classifier_airflow.page_links import overview_page
from image_classifier_airflow.steps import clients
from image_classifier_airflow.steps.deployment import deployment_requests, trigger_configuration
from image_classifier_airflow.steps.promote_version import check_promote_version
from image_classifier_airflow.steps.start_from import started_from
from image_classifier_airflow.steps.waiting import check_none_waits, count_waiting

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


log = logging.getLogger(__name__)

Params = Mapping[str, Any]
Json = dict[str, Any]


class Steps:
    """The steps of one classifier's Dag; Airflow passes the variables of a run by the names of the arguments."""

    def __init__(self, classifier: Classifier) -> None:
        """Store the classifier of the file; a run's params may change it."""
        self._classifier = classifier
        self.links = {"report": [overview_page(classifier.name)]}

    def plan(self, params: Params, run_id: str, ti: Any) -> bool:
        """Log what the run would change and cost, if its param `plan` is set, and refuse a run that may cost too much.

        Returns whether the run continues; with the param `plan` it ends here without a change.
        """
        from image_classifier.connect.function_package import package_of
        from image_classifier.plan import build
        from image_classifier.plan.plan import check_budget

        classifier, settings, run = self._of(params), Settings.from_env(), RunParams.from_params(params)
        if not run.plan and classifier.max_cost_usd is None:
            return True
        plan = build.build_plan(
            classifier,
            clients=clients.of_a_classifier(self._conn),
            settings=settings,
            prices=clients.prices(self._conn),
            options=build.PlanOptions(
                code_sha256=package_of(settings).code_sha256,
                reset_labels=run.reset_labels,
                only_of_run=(ti.dag_id, run_id) if run.force_retrain else None,
            ),
        )
        log.info("The plan for %s:\n%s", classifier.name, plan.as_table())
        ti.xcom_push(key="plan", value=plan.as_json())
        if not run.plan and classifier.max_cost_usd is not None:
            check_budget(plan, max_cost_usd=classifier.max_cost_usd)
        return not run.plan

    def plan_training(self, dataset: Json, params: Params, run_id: str) -> Json:
        """Return the arguments of the training and tuning tasks; the same images and settings give the same jobs.

        Returns:
            A dict of ``config`` (CreateTrainingJob's request), ``alternatives`` (requests with other instance types),
            ``force``, ``accept_time_limit``, and with tuning ``tuning`` (the tuning operator's config, or empty).

        """
        from image_classifier.prepare.prepared import PreparedDataset
        from image_classifier.train import job_request
        from image_classifier.train.tuning.request import tuning_task_config

        classifier, prepared = self._of(params), PreparedDataset.model_validate(dataset)
        force = RunParams.from_params(params).force_retrain
        region = self._s3.meta.region_name
        request = job_request.training_job_request(
            classifier, settings=Settings.from_env(), region=region, dataset=prepared
        )
        request = started_from(request, classifier=classifier)
        alternatives = job_request.alternative_requests(classifier, request)
        planned: Json = {
            "config": request,
            "alternatives": alternatives,
            "force": force,
            "accept_time_limit": classifier.training.accept_time_limit,
        }
        if classifier.tuning is not None:
            tuning = tuning_task_config(classifier, training=request, alternatives=alternatives, dataset=prepared)
            planned["tuning"] = {**tuning, "force": force} if tuning else {}
        check_promote_version(planned, classifier=classifier, params=params, run_id=run_id)
        return planned

    def plan_deployment(self, dataset: Json, job: Json, params: Params) -> Json:
        """Return the requests of model, endpoint config, endpoint and function.

        Returns:
            A dict of the requests ``model``, ``endpoint_config`` and ``endpoint``; the configurations ``function`` and
            ``upload_trigger``; ``sample``, the image with which the endpoint is invoked.

        Raises:
            ResourceClashError: another deployment has created the endpoint since the run began.

        """
        from image_classifier.plan.preflight import check_name

        classifier, settings, training_job = self._of(params), Settings.from_env(), job["training_job"]
        conn = classifier.aws_conn_id
        check_name(clients.sagemaker(conn), clients.functions(conn), classifier=classifier, settings=settings)
        return {
            **deployment_requests(
                classifier,
                settings,
                training_job=training_job,
                model_artifact=job["model_artifact"],
                image=job["image"],
            ),
            "sample": {
                "bucket": settings.bucket,
                "key": dataset["check_images"][0]["key"],
                "num_classes": dataset["num_classes"],
            },
            "upload_trigger": trigger_configuration(classifier, settings),
        }

    def test_endpoint(self, dataset: Json, job: Json) -> None:
        """Invoke the endpoint with images of known class, and log the answers."""
        from image_classifier.aws.s3 import read_written
        from image_classifier.deploy import invocation, model_file

        bucket, s3 = Settings.from_env().bucket, self._s3
        runtime, endpoint = clients.sagemaker_runtime(self._conn), endpoint_name(self._classifier.name)

        def classify(image: bytes) -> tuple[list[float], str]:
            answer = invocation.invoke(runtime, endpoint=endpoint, image=image)
            return answer.probabilities, answer.variant

        labels = model_file.read_labels(s3, bucket=bucket, key=dataset["labels_key"])
        table = invocation.check_endpoint(
            classify,
            read=lambda key: read_written(s3, bucket=bucket, key=key),
            images=[invocation.LabelledImage(**image) for image in dataset["check_images"]],
            model=invocation.DeployedModel(job["training_job"], labels),
        )
        log.info("Endpoint %s answers:\n%s", endpoint, table)

    def record_deployment(self, function: Json, endpoint_config: Json, job: Json, outlet_events: Any = None) -> str:
        """Store the record of the present deployment, with which the watch Dag compares AWS; return its key."""
        from image_classifier.connect import deployment as deployments

        bucket, name = Settings.from_env().bucket, self._classifier.name
        deployment = deployments.deployment_of(
            self._classifier,
            bucket=bucket,
            training_job=job["training_job"],
            endpoint_config=endpoint_config,
            function=function,
            usd_per_hour=clients.hosting_price(self._conn),
        )
        before = deployments.deployment_before(self._s3, bucket=bucket, classifier=name)
        deployment = deployments.resumed(deployment, before, now=datetime.now(UTC))
        key = deployments.write_deployment(self._s3, deployment)
        announce_endpoint(outlet_events, self._classifier, deployment)
        return key

    def apply_trigger(self) -> None:
        """Give the deployed function the trigger of the file, if it has another: no new model is needed for that."""
        from image_classifier.connect.deployment import change_trigger
        from image_classifier.connect.trigger import TriggerConfiguration

        wanted = TriggerConfiguration(**trigger_configuration(self._classifier, Settings.from_env()))
        functions, sqs = clients.functions(self._conn), clients.sqs(self._conn)
        if change_trigger(functions, self._s3, sqs, wanted=wanted):
            log.info("The trigger of %s is now %s", self._classifier.name, wanted.mode)

    def delete_unreferenced_images(self, dataset: Json) -> int:
        """Delete the listing, and prepared images that left the data set, unless a training job may read them.

        Returns the number of images.
        """
        from image_classifier.prepare.publish import delete_unreferenced_images
        from image_classifier.prepare.shards.listing import delete_listings
        from image_classifier.train import training_jobs

        name, bucket = self._classifier.name, Settings.from_env().bucket
        delete_listings(self._s3, bucket=bucket, keys=Keys(name))
        in_progress = training_jobs.list_training_jobs_in_progress(clients.sagemaker(self._conn), classifier=name)
        return delete_unreferenced_images(
            name,
            s3=self._s3,
            bucket=bucket,
            fingerprint=dataset["fingerprint"],
            training_in_progress=bool(in_progress),
        )

    def delete_old_models(self) -> list[str]:
        """Delete old endpoint configs and models, never those in use; return their names."""
        from image_classifier.deploy import old_models

        name, keep = self._classifier.name, self._classifier.endpoint.keep_models
        return old_models.delete_old_models(clients.sagemaker(self._conn), classifier=name, keep=keep)

    def report(self, job: Json, evaluated: Json, params: Params, dag_run: Any) -> Json:
        """Log a table of the run's results and cost; the task fails if uploads wait for a record.

        Returns:
            The fields of `image_classifier.plan.run_report.RunReport`.

        """
        from image_classifier.evaluate.transform_jobs import TRANSFORM_JOBS
        from image_classifier.plan import run_report
        from image_classifier.plan.jobs_of_run import cost_of_jobs
        from image_classifier.prepare.processing.jobs import PROCESSING_JOBS

        classifier, prices = self._of(params), clients.prices(self._conn)
        cost = partial(
            cost_of_jobs,
            clients.sagemaker(self._conn),
            classifier=classifier.name,
            of_run=(dag_run.dag_id, dag_run.run_id),
            since=dag_run.run_after,  # a cleared run starts again
        )
        waiting = count_waiting(classifier)
        report = run_report.report_of(
            job,
            endpoint=endpoint_name(classifier.name),
            training=prices.price(job["instance_type"], use="training"),
            hosting=prices.price(classifier.endpoint.instance_type, use="hosting"),
            instance_count=classifier.endpoint.instance_count,
            evaluated=evaluated,
            preparation=cost(PROCESSING_JOBS, price=partial(prices.price, use="processing")),
            scoring=cost(TRANSFORM_JOBS, price=partial(prices.price, use="hosting")),
            waiting=str(waiting),
        )
        log.info("This run of %s:\n%s", classifier.name, report.as_table())
        check_none_waits(classifier, waiting)
        return report.as_json()

    def _of(self, params: Params) -> Classifier:
        return with_run_params(self._classifier, params)

    @property
    def _conn(self) -> str:
        return self._classifier.aws_conn_id

    @property
    def _s3(self) -> "S3Client":
        return clients.s3(self._conn)
