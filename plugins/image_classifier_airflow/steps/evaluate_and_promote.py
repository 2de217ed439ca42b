"""The tasks between training and deployment that no operator does: what is scored, the report, the decision."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.run_params import with_run_params
from image_classifier_airflow.links import decisions_link, evaluations_link
from image_classifier_airflow.steps import clients

if TYPE_CHECKING:
    from image_classifier.evaluate.evaluation import Evaluation
    from image_classifier.evaluate.report.model import Report, Training
    from image_classifier.promote.decision import Decision

log = logging.getLogger(__name__)

Params = Mapping[str, Any]
Json = dict[str, Any]


class EvaluationSteps:
    """The steps of one classifier's Dag; each is given what Airflow knows of its run by the names of its arguments."""

    def __init__(self, classifier: Classifier) -> None:
        """Keep the classifier as its file describes it; a run's params come with the run."""
        self._classifier = classifier
        self.links = {"write_report": [evaluations_link(classifier)], "decide": [decisions_link(classifier)]}

    def plan_evaluation(self, dataset: Json, job: Json, params: Params) -> Json:
        """Requests for the model, and for what scores the test images: of this model, and of the one that serves.

        A request is empty where the images have been scored before, and where there is no test image.
        """
        from image_classifier.deploy import hosting, serving
        from image_classifier.evaluate import evaluation as evaluations

        classifier, settings = self._of(params), Settings.from_env()
        model = hosting.model_request(
            classifier,
            settings=settings,
            training_job=job["training_job"],
            model_artifact=job["model_artifact"],
            image=job["image"],
        )
        plan: Json = {"model": model, "candidate": {}, "champion": {}, "champion_job": ""}
        if not dataset["num_test_samples"]:
            log.warning("There is no test image, so the model is not evaluated; set test_fraction.")
            return plan
        s3, name = clients.s3(self._conn), model["ModelName"]
        candidate = self._evaluation(dataset, job["training_job"])
        request = evaluations.request_for_candidate(s3, candidate, classifier=classifier, model=name)
        plan["candidate"] = _scoring(request, classifier)
        champion = serving.serving_model(clients.sagemaker(self._conn), classifier=classifier.name)
        if champion is not None and champion.training_job != job["training_job"]:
            other = self._evaluation(dataset, champion.training_job)
            request = evaluations.request_for_champion(s3, other, classifier=classifier, model=champion.model)
            plan |= {"champion": _scoring(request, classifier), "champion_job": champion.training_job}
        return plan

    def write_report(self, dataset: Json, job: Json, training: Json, plan: Json, params: Params) -> Json:
        """Make the report of the scored images, as report.json and report.html; a report that is there stays."""
        from image_classifier.contracts.labels import parse_labels
        from image_classifier.evaluate import evaluation as evaluations

        if not dataset["num_test_samples"]:
            return {}
        s3, candidate = clients.s3(self._conn), self._evaluation(dataset, job["training_job"])
        if plan["champion_job"]:
            champion = self._evaluation(dataset, plan["champion_job"])
            file = s3.get_object(Bucket=champion.bucket, Key=champion.keys.model_file(champion.training_job))
            evaluations.keep_answers(s3, champion, labels=parse_labels(file["Body"].read()))
        report = evaluations.stored_report(s3, candidate)
        if report is None:
            report = self._new_report(candidate, dataset, job=job, training=training, classifier=self._of(params))
        return _told(report, candidate)

    def decide(self, dataset: Json, job: Json, plan: Json, params: Params, dag_run: Any, ti: Any) -> bool:
        """Decide whether the model goes live, and store why. A model that does not ends the run here, and well."""
        from image_classifier.promote import promotion, registry

        if registry.was_left(clients.sagemaker(self._conn), job["training_job"], classifier=self._classifier.name):
            log.warning(
                "A person went back from the model of %s. It serves again only if image_classifier_roll_back is run "
                "with it; changed images or settings train another model. The run ends here.",
                job["training_job"],
            )
            return False
        classifier, candidate = self._of(params), self._evaluation(dataset, job["training_job"])
        rule = classifier.promotion
        if not dataset["num_test_samples"]:
            return self._without_test_images(classifier)
        s3 = clients.s3(self._conn)
        decision = promotion.decide_candidate(s3, candidate, champion=plan["champion_job"] or None, rule=rule)
        deploys = decision.verdict == "promote" and rule.mode == "automatic"
        self._register(job, candidate, decision, classifier)
        key = promotion.keep_decision(s3, decision, bucket=candidate.bucket, at=dag_run.start_date)
        words = decision.summary if rule.mode == "automatic" else f"promotion.mode is {rule.mode}: nothing is deployed."
        ti.xcom_push(key="decision", value={"verdict": decision.verdict, "key": key, "summary": decision.summary})
        if not deploys:
            log.warning("%s Endpoint, function and labels stay as they are, and the run ends here.", words)
        return deploys

    def _register(self, job: Json, candidate: "Evaluation", decision: "Decision", classifier: Classifier) -> None:
        """Record the model, and what was decided about it."""
        from image_classifier.classifier.request_parts import tag_list
        from image_classifier.evaluate.evaluation import REPORT, stored_report
        from image_classifier.promote import registry

        sagemaker, tags = clients.sagemaker(self._conn), tag_list(classifier)
        group = registry.ensure_group(sagemaker, classifier=classifier.name, tags=tags)
        model = registry.TrainedModel(job["training_job"], job["image"], job["model_artifact"], classifier.algorithm)
        arn = registry.ensure_version(
            sagemaker,
            model,
            group=group,
            report=stored_report(clients.s3(self._conn), candidate),
            report_uri=candidate.uri(candidate.prefix + REPORT),
        )
        statuses: dict[str, registry.Approval] = {"promote": "Approved", "refuse": "Rejected"}
        if decision.rule.mode == "automatic" and decision.verdict in statuses:
            registry.set_approval(sagemaker, arn, status=statuses[decision.verdict], why=decision.summary)

    def _without_test_images(self, classifier: Classifier) -> bool:
        rule = classifier.promotion
        if rule.mode != "automatic" or rule.floors.accuracy is not None or rule.floors.class_recall is not None:
            log.warning("No test image says whether the model may serve: nothing is deployed. Set test_fraction.")
            return False
        log.warning("No test image says how good the model is; it is deployed unseen. Set test_fraction.")
        return True

    def _new_report(
        self, candidate: "Evaluation", dataset: Json, *, job: Json, training: Json, classifier: Classifier
    ) -> "Report":
        from image_classifier.deploy.model_file import read_labels
        from image_classifier.evaluate.evaluation import write_report
        from image_classifier.evaluate.report.assemble import Subject
        from image_classifier.evaluate.report.model import DatasetVersion

        s3 = clients.s3(self._conn)
        subject = Subject(
            classifier=classifier.name,
            labels=read_labels(s3, bucket=candidate.bucket, key=dataset["labels_key"]),
            training=self._training(job, training, classifier=classifier),
            dataset=DatasetVersion(
                fingerprint=dataset["fingerprint"],
                test_manifest=dataset["test_manifest_sha256"],
                train=dataset["num_training_samples"],
                validation=dataset["num_validation_samples"],
                test=dataset["num_test_samples"],
            ),
            unsure_below=classifier.unsure_below,
            wanted_accuracy=classifier.evaluation.wanted_accuracy,
            calibrate=False,
        )
        return write_report(s3, candidate, subject)

    def _training(self, job: Json, training: Json, *, classifier: Classifier) -> "Training":
        from image_classifier.evaluate.report.model import Training
        from image_classifier.evaluate.report.training import epochs_of
        from image_classifier.train.job_log import log_events

        price = clients.prices(self._conn).price(job["instance_type"], use="training").usd_per_hour
        billable_s = job["billable_s"]
        lines, _ = log_events(clients.of_a_classifier(self._conn).logs, job["training_job"])
        return Training(
            training_job=job["training_job"],
            algorithm=classifier.algorithm,
            hyperparameters=training["HyperParameters"],
            instance_type=job["instance_type"],
            instance_count=job["instance_count"],
            spot=job["spot"],
            seconds=job["seconds"],
            billable_s=billable_s,
            cost_usd=None if price is None or billable_s is None else round(billable_s * price / 3600, 4),
            best_validation_accuracy=job["best_validation_accuracy"],
            epochs=epochs_of(lines),
        )

    def _evaluation(self, dataset: Json, training_job: str) -> "Evaluation":
        from image_classifier.evaluate.evaluation import Evaluation

        return Evaluation(
            classifier=self._classifier.name,
            bucket=Settings.from_env().bucket,
            training_job=training_job,
            fingerprint=dataset["fingerprint"],
            test_manifest=dataset["test_manifest_sha256"],
        )

    def _of(self, params: Params) -> Classifier:
        return with_run_params(self._classifier, params)

    @property
    def _conn(self) -> str:
        return self._classifier.aws_conn_id


def _scoring(request: Json | None, classifier: Classifier) -> Json:
    """What the operator needs; nothing if there is nothing to score."""
    if request is None:
        return {}
    limit_s = classifier.evaluation.time_limit_s
    return {"request": request, "classifier": classifier.name, "time_limit_s": limit_s}


def _told(report: "Report", evaluation: "Evaluation") -> Json:
    """The figures for XCom, and for the task's log."""
    from image_classifier.evaluate.evaluation import PAGE, REPORT

    accuracy = report.accuracy
    page = evaluation.uri(evaluation.prefix + PAGE)
    log.info(
        "Test accuracy %.1f%% (%.1f%% to %.1f%% with 95%% confidence) on %d images; report: %s",
        *(100 * value for value in (accuracy.value, accuracy.low, accuracy.high)),
        accuracy.of,
        page,
    )
    return {"accuracy": accuracy.model_dump(), "report": evaluation.uri(evaluation.prefix + REPORT), "page": page}
