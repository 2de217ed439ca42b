"""Implements the tasks between training and deployment: scoring requests, report and decision."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.run_params import RunParams, with_run_params
from image_classifier_airflow.assets import announce
from image_classifier_airflow.links import decisions_link, evaluations_link
from image_classifier_airflow.page_links import model_page
from image_classifier_airflow.steps import clients
from image_classifier_airflow.steps.registration import register_model
from image_classifier_airflow.steps.tuning import search_of

if TYPE_CHECKING:
    from image_classifier.evaluate.evaluation import Evaluation
    from image_classifier.evaluate.report.model import Report, Training
    from image_classifier.promote.decision import Decision

log = logging.getLogger(__name__)

Params = Mapping[str, Any]
Json = dict[str, Any]
UNSEEN = "There are no test images, so the model is deployed without an evaluation."
NOTHING_CHANGES = "Endpoint, function and labels are not changed, and the run ends here."


class EvaluationSteps:
    """The steps of one classifier's Dag; Airflow passes the variables of a run by the names of the arguments."""

    def __init__(self, classifier: Classifier) -> None:
        """Store the classifier of the file; a run's params may change it."""
        self._classifier = classifier
        model = model_page(classifier.name)
        decisions = [decisions_link(classifier), model]
        self.links = {"write_report": [evaluations_link(classifier), model], "decide": decisions}

    def plan_evaluation(self, dataset: Json, job: Json, params: Params) -> Json:
        """Return the requests for the new model, and for scoring the test images with it and with the live model.

        The dict has ``model``; ``candidate`` and ``champion``, the transform operator's configs, empty if no image must
        be scored; ``champion_job`` and ``serving``, training jobs or empty; ``model_that_serves`` if there is one.
        """
        from image_classifier.deploy import serving
        from image_classifier.deploy.model import model_request
        from image_classifier.evaluate import evaluation as evaluations

        classifier, settings = self._of(params), Settings.from_env()
        model = model_request(
            classifier,
            settings=settings,
            training_job=job["training_job"],
            model_artifact=job["model_artifact"],
            image=job["image"],
        )
        champion = serving.serving_model(clients.sagemaker(self._conn), classifier=classifier.name)
        plan: Json = {"model": model, "candidate": {}, "champion": {}, "champion_job": ""}
        plan |= {"serving": champion.training_job, "model_that_serves": champion.model} if champion else {"serving": ""}
        if not dataset["num_test_samples"]:
            log.warning("There are no test images, so the model is not evaluated; set test_fraction.")
            return plan
        s3, name = clients.s3(self._conn), model["ModelName"]
        candidate = self._evaluation(dataset, job["training_job"])
        request = evaluations.request_for_candidate(s3, candidate, classifier=classifier, model=name)
        plan["candidate"] = _scoring(request, classifier)
        if champion is not None and champion.training_job != job["training_job"]:
            other = self._evaluation(dataset, champion.training_job)
            request = evaluations.request_for_champion(s3, other, classifier=classifier, model=champion.model)
            plan |= {"champion": _scoring(request, classifier), "champion_job": champion.training_job}
        return plan

    def write_report(self, dataset: Json, job: Json, training: Json, plan: Json, params: Params) -> Json:
        """Write report.json and report.html of the scored images, unless the report for these settings exists.

        The dict has ``accuracy`` (a `Proportion`), ``report`` and ``page`` (S3 URIs); it is empty without test images.
        """
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
        classifier, tuning = self._of(params), search_of(job, self._classifier)
        if report is None or not evaluations.is_current(report, classifier=classifier, tuning=tuning):
            report = self._new_report(candidate, dataset, job=job, training=training, classifier=classifier)
        return _told(report, candidate)

    def decide(
        self, dataset: Json, job: Json, plan: Json, params: Params, dag_run: Any, ti: Any, outlet_events: Any = None
    ) -> bool:
        """Decide whether the model may go live, and store the reasons; the run succeeds and ends here if it may not."""
        training_job = job["training_job"]
        if not self._may_be_decided(training_job, params):
            return False
        classifier = self._of(params)
        rule = classifier.promotion
        self._ensure_registry(plan, training_job, classifier=classifier)
        if not dataset["num_test_samples"]:
            version = register_model(self._evaluation(dataset, training_job), job, dataset, classifier=classifier)
            may = self._without_test_images(classifier, version)
            announce(outlet_events, classifier, kind="model", version=training_job, figures={"verdict": "unseen"})
            return may
        decision, key = self.compare(dataset, job, plan, params, dag_run)
        figures = {"verdict": decision.verdict, "decision": key, **decision.accuracy.model_dump()}
        ti.xcom_push(key="decision", value={"verdict": decision.verdict, "key": key, "summary": decision.summary})
        announce(outlet_events, classifier, kind="model", version=training_job, figures=figures)
        if decision.verdict != "promote":
            log.warning("%s %s", decision.summary, NOTHING_CHANGES)
        elif rule.mode == "never":
            log.warning("promotion.mode is never: nothing is deployed. %s", NOTHING_CHANGES)
        return decision.verdict == "promote" and rule.mode != "never"

    def _may_be_decided(self, training_job: str, params: Params) -> bool:
        """Return whether no person has rejected the model, or the run's `promote_version` names it.

        Raises:
            ClassifierFileError: `promote_version` names another model.

        """
        from image_classifier.promote import named, registry

        sagemaker, name = clients.sagemaker(self._conn), self._classifier.name
        wanted = (RunParams.from_params(params).promote_version or "").strip()
        if wanted:
            named.check_names(sagemaker, wanted, training_job=training_job, classifier=name)
        why = registry.rejected_by_a_person(sagemaker, training_job, classifier=name)
        if why is None or wanted:
            return True
        log.warning(
            "A person rejected the model of %s (%s). It is deployed again only if image_classifier_roll_back is run "
            "with it, or this Dag with promote_version; changed images or settings train another model. %s",
            training_job,
            why,
            NOTHING_CHANGES,
        )
        return False

    def compare(self, dataset: Json, job: Json, plan: Json, params: Params, dag_run: Any) -> "tuple[Decision, str]":
        """Decide by the rule, store the decision in S3 and in the registry; return it and the key of its record."""
        from image_classifier.promote import promotion

        classifier, candidate = self._of(params), self._evaluation(dataset, job["training_job"])
        s3 = clients.s3(self._conn)
        decision = promotion.decide_candidate(
            s3, candidate, champion=plan["serving"] or None, rule=classifier.promotion
        )
        self._note(register_model(candidate, job, dataset, classifier=classifier), decision)
        return decision, promotion.keep_decision(s3, decision, bucket=candidate.bucket, at=dag_run.start_date)

    def _note(self, arn: str, decision: "Decision") -> None:
        """Set the version's approval status; in the mode `approval` a person decides, in `never` it stays pending."""
        from image_classifier.promote import registry

        is_approved = decision.verdict == "promote" and decision.rule.mode == "automatic"
        if is_approved or (decision.verdict == "refuse" and decision.rule.mode != "never"):
            status: registry.Approval = "Approved" if is_approved else "Rejected"
            registry.set_approval(clients.sagemaker(self._conn), arn, status=status, why=decision.summary)

    def _ensure_registry(self, plan: Json, candidate: str, *, classifier: Classifier) -> None:
        """Create the group, and register the live model, which an earlier release may have deployed."""
        from image_classifier.classifier.request_parts import tag_list
        from image_classifier.promote import live_model, registry

        sagemaker, settings = clients.sagemaker(self._conn), Settings.from_env()
        group = registry.ensure_group(sagemaker, classifier=classifier.name, tags=tag_list(classifier))
        if plan["serving"] not in ("", candidate):
            live_model.register_live_model(
                sagemaker,
                clients.s3(self._conn),
                classifier=classifier.name,
                bucket=settings.bucket,
                group=group,
                training_job=plan["serving"],
                model=plan["model_that_serves"],
                own_image=settings.algorithm_image,
            )

    def _without_test_images(self, classifier: Classifier, version: str) -> bool:
        from image_classifier.promote import registry

        rule = classifier.promotion
        if rule.mode != "automatic" or rule.floors.accuracy is not None or rule.floors.class_recall is not None:
            log.warning("Without test images the model cannot be evaluated: nothing is deployed. Set test_fraction.")
            return False
        log.warning("%s Set test_fraction.", UNSEEN)
        registry.set_approval(clients.sagemaker(self._conn), version, status="Approved", why=UNSEEN)
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
            unsure_below=None if classifier.unsure_below == "auto" else classifier.unsure_below,
            wanted_accuracy=classifier.evaluation.wanted_accuracy,
            calibrate=classifier.calibrate,
            tuning=search_of(job, self._classifier),
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
            hyperparameters=job.get("hyperparameters") or training["HyperParameters"],
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
    """Return the scoring operator's config; empty if no image must be scored."""
    if request is None:
        return {}
    limit_s = classifier.evaluation.time_limit_s
    return {"request": request, "classifier": classifier.name, "time_limit_s": limit_s}


def _told(report: "Report", evaluation: "Evaluation") -> Json:
    """Log the report's figures, and return them for XCom."""
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
