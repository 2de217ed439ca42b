"""Builds the lines of a plan about jobs: training, tuning, and the transform jobs that score images."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from image_classifier.aws.clients import Clients
from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import object_exists
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.tuning import Tuning
from image_classifier.deploy.serving import serving_model
from image_classifier.evaluate.answers import FILE
from image_classifier.evaluate.evaluation import REPORT
from image_classifier.plan.plan import SECONDS_AN_HOUR, Cost, Line
from image_classifier.plan.prices import PriceBook
from image_classifier.train import attempts
from image_classifier.train.tuning import tuning_jobs

if TYPE_CHECKING:
    from image_classifier.evaluate.report.model import TuningFigures
    from image_classifier.prepare.prepared import PreparedDataset

STARTS = {"start": "started", "await": "started once it has stopped"}
MANY_IMAGES = 200_000  # from which on a training job converts them for minutes; see `_advice_on_format`
MODELS_COMPARED = 2  # the new model and the live model
Machines = Sequence[Mapping[str, Any]]


def models_scored(tuning: Tuning) -> int:
    """Return the number of models that a search scores on the validation images: the first and the best others."""
    return 1 + min(tuning.finalists, tuning.tuned_jobs)


def advice_on(classifier: Classifier, images: int) -> tuple[str, ...]:
    """Return sentences about settings that would make the run cheaper."""
    on_ranges = classifier.tuning.advice(classifier.hyperparameters) if classifier.tuning else ()
    return (*_advice_on_format(classifier, images), *on_ranges)


def _advice_on_format(classifier: Classifier, images: int) -> tuple[str, ...]:
    """Return a sentence that recommends `format: recordio` for many images; none if the file has it.

    The built-in algorithm packs images into RecordIO before it trains, on the training instance.
    """
    if classifier.format == "recordio" or images < MANY_IMAGES:
        return ()
    return (
        f"Advice: set `format: recordio`, because there are {images:,} images: the workers then pack them into one "
        "file per channel. Otherwise the training job does so before it trains, on the training instance that is paid.",
    )


def training_line(attempt: attempts.Attempt, machines: Machines, *, prices: PriceBook) -> Line:
    """Return the line of the training job, with the price of the most expensive of its possible instance types.

    Args:
        attempt: the next attempt at the job.
        machines: requests of the job and of its alternatives.
        prices: prices of the region.

    """
    if attempt.action == "adopt":
        return Line("training job", attempt.job_name, "followed", Cost(words="nothing more: it runs already"))
    if attempt.action == "reuse":
        return Line("training job", attempt.job_name, "reused", Cost(words="nothing: it has the model"))
    return Line("training job", attempt.job_name, STARTS[attempt.action], _most_expensive(machines, prices, jobs=1))


def tuning_line(attempt: tuning_jobs.Attempt, machines: Machines, *, prices: PriceBook) -> Line:
    """Return the line of the tuning job, with the cost of all its training jobs at their time limits."""
    if attempt.action == "adopt":
        return Line("tuning job", attempt.job_name, "followed", Cost(words="nothing more: it runs already"))
    if attempt.action == "reuse":
        return Line("tuning job", attempt.job_name, "reused", Cost(words="nothing: it has its models"))
    jobs = attempt.request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    return Line("tuning job", attempt.job_name, STARTS[attempt.action], _most_expensive(machines, prices, jobs=jobs))


def trials_line(
    classifier: Classifier, tuning: Tuning, *, job: str, figures: "TuningFigures | None", prices: PriceBook
) -> Line:
    """Return the line of the transform jobs that score the validation images with the best trials and the first job."""
    if figures is not None:
        return Line("validation", f"{figures.chosen} is chosen", "unchanged")
    models = models_scored(tuning)
    return Line("validation", job, f"{models} models scored", transform_cost(classifier, prices, jobs=models))


def evaluation_line(
    classifier: Classifier,
    clients: Clients,
    settings: Settings,
    *,
    dataset: "PreparedDataset",
    job: str | None,
    prices: PriceBook,
) -> Line:
    """Return the line of the evaluation: at most two transform jobs at their time limits, for the new and live model.

    The live model is scored also if the other one has its report: somebody may have gone back to it.

    Args:
        classifier: the classifier of the run.
        clients: they read which model serves, and whether report and answers exist.
        settings: the deployment's settings, for the bucket.
        dataset: the prepared images.
        job: the training job whose model is evaluated; None before tuning has chosen it.
        prices: prices of the region.

    """
    images = dataset.num_test_samples
    if not images:
        return Line("evaluation", "no test image", "unchanged")
    change = f"{images:,} images scored"
    if job is not None:
        report = _place(classifier, job, dataset) + REPORT
        if object_exists(clients.s3, bucket=settings.bucket, key=report):
            if (live := _unscored_live_model(classifier, clients, settings, dataset=dataset, job=job)) is not None:
                return Line("evaluation", live, change, transform_cost(classifier, prices, jobs=1))
            return Line("evaluation", f"s3://{settings.bucket}/{report}", "unchanged")
    name = job or "the model that is chosen"
    return Line("evaluation", name, change, transform_cost(classifier, prices, jobs=MODELS_COMPARED))


def _unscored_live_model(
    classifier: Classifier, clients: Clients, settings: Settings, *, dataset: "PreparedDataset", job: str
) -> str | None:
    """Return the training job of the live model if it has no answers for the test images; None also if it is `job`."""
    live = serving_model(clients.sagemaker, classifier=classifier.name)
    if live is None or live.training_job == job:
        return None
    answers = _place(classifier, live.training_job, dataset) + FILE
    return None if object_exists(clients.s3, bucket=settings.bucket, key=answers) else live.training_job


def _place(classifier: Classifier, job: str, dataset: "PreparedDataset") -> str:
    return Keys(classifier.name).evaluation(job, test_manifest=dataset.test_manifest_sha256)


def most_of_a_run(classifier: Classifier, prices: PriceBook) -> list[Line]:
    """Return the lines of a run's processing, training, tuning and transform jobs if none of them is reused."""
    training, tuning, new = classifier.training, classifier.tuning, "of the new images"
    machines = [
        {
            "ResourceConfig": {"InstanceType": machine, "InstanceCount": training.instance_count},
            "StoppingCondition": {"MaxRuntimeInSeconds": training.time_limit_s},
            "EnableManagedSpotTraining": training.spot,
        }
        for machine in training.instance_types
    ]
    lines = []
    if classifier.preparation.runner == "processing":
        lines.append(Line("processing job", new, "started", preparation_cost(classifier, prices)))
    lines.append(Line("training job", new, "started", _most_expensive(machines, prices, jobs=1)))
    if tuning is not None and tuning.enabled:
        tried, models = _most_expensive(machines, prices, jobs=tuning.tuned_jobs), models_scored(tuning)
        lines.append(Line("tuning job", new, "started", tried))
        scored = transform_cost(classifier, prices, jobs=models)
        lines.append(Line("validation", new, f"{models} models scored", scored))
    compared = transform_cost(classifier, prices, jobs=MODELS_COMPARED)
    return [*lines, Line("evaluation", "the model that is chosen", "test images scored", compared)]


def preparation_cost(classifier: Classifier, prices: PriceBook) -> Cost:
    """Return the maximum cost of the processing job that prepares the images, up to its time limit."""
    wanted = classifier.preparation
    price = prices.price(wanted.instance_type, use="processing")
    machines = f"{wanted.instance_count} x {wanted.instance_type} for {wanted.time_limit_s:,} s"
    if price.usd_per_hour is None:
        return Cost(None, words=f"unknown: {machines}, {price.source}")
    usd = wanted.instance_count * price.usd_per_hour * wanted.time_limit_s / SECONDS_AN_HOUR
    return Cost(usd, words=f"{usd:,.2f} USD: {machines} at {price.usd_per_hour:g} an hour ({price.source})")


def transform_cost(classifier: Classifier, prices: PriceBook, *, jobs: int) -> Cost:
    """Return the cost of `jobs` transform jobs at their time limits; AWS charges the hosting price for them."""
    machine, limit_s = classifier.evaluation.instance_type, classifier.evaluation.time_limit_s
    price = prices.price(machine, use="hosting")
    machines = f"{jobs} x {machine} for {limit_s:,} s"
    if price.usd_per_hour is None:
        return Cost(None, words=f"unknown: {machines}, {price.source}")
    usd = jobs * price.usd_per_hour * limit_s / SECONDS_AN_HOUR
    return Cost(usd, words=f"{usd:,.2f} USD: {machines} at {price.usd_per_hour:g} an hour ({price.source})")


def _most_expensive(machines: Machines, prices: PriceBook, *, jobs: int) -> Cost:
    costs = [_training_cost(request, prices=prices, jobs=jobs) for request in machines]
    unknown = [cost for cost in costs if cost.once_usd is None]
    return unknown[0] if unknown else max(costs, key=lambda cost: cost.once_usd or 0.0)


def _training_cost(request: Mapping[str, Any], *, prices: PriceBook, jobs: int) -> Cost:
    resources, limit_s = request["ResourceConfig"], request["StoppingCondition"]["MaxRuntimeInSeconds"]
    instance_type, count = resources["InstanceType"], resources["InstanceCount"]
    price = prices.price(instance_type, use="training")
    machines = f"{count} x {instance_type} for {limit_s:,} s"
    machines = f"{jobs} jobs of {machines} each" if jobs > 1 else machines
    if price.usd_per_hour is None:
        return Cost(None, words=f"unknown: {machines}, {price.source}")
    usd = jobs * price.usd_per_hour * count * limit_s / SECONDS_AN_HOUR
    spot = "; managed spot costs less" if request.get("EnableManagedSpotTraining") else ""
    return Cost(usd, words=f"{usd:,.2f} USD: {machines} at {price.usd_per_hour:g} an hour ({price.source}){spot}")
