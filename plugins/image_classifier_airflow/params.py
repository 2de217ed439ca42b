"""Builds the params of the trigger forms; limits, texts and defaults come from the library's models."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict

from image_classifier.classifier import Classifier
from image_classifier.classifier.model import NAME
from image_classifier.classifier.run_params import run_params_schema, to_the_end

# The form sections of the params that are not hyperparameters; those of hyperparameters are in their own fields.
SECTIONS: Mapping[str, str] = {
    "source": "Data",
    "reset_labels": "Data",
    "force_retrain": "Training",
    "promote_version": "Training",
    "training_instance_type": "Training",
    "instance_type_fallbacks": "Training",
    "time_limit_s": "Training",
    "accept_time_limit": "Training",
    "tune": "Tuning",
    "tuning_strategy": "Tuning",
    "tuning_max_jobs": "Tuning",
    "tuning_max_parallel": "Tuning",
    "tuning_early_stopping": "Tuning",
    "tuning_ranges": "Tuning",
    "endpoint_instance_type": "Endpoint",
    "plan": "Cost",
    "max_cost_usd": "Cost",
}
FIRST = ("Data", "Training")  # Airflow shows sections in the order of their first param
LAST = ("Tuning", "Endpoint", "Cost")


def train_params(classifier: Classifier) -> ParamsDict:
    """Return one param per value that a run may change; the defaults are the classifier file's values."""
    schemas = run_params_schema(classifier)
    placed = {name: {**schema, "section": SECTIONS.get(name) or schema["section"]} for name, schema in schemas.items()}
    return ParamsDict({name: _param(**schema) for name, schema in sorted(placed.items(), key=_place)})


def _param(default: Any, *, description: str, **schema: Any) -> Param:
    """Return a field whose description says the limits of its number.

    Airflow's form silently replaces a number beyond `minimum` or `maximum` by that limit. It does not look into
    `allOf`; Airflow's API server does, and refuses to start the run.
    """
    limits = {name: schema.pop(name) for name in ("minimum", "maximum") if name in schema}
    if not limits:
        return Param(default, description=description, **schema)
    return Param(default, description=f"{description} {_in_words(**limits)}", allOf=[limits], **schema)


def _in_words(*, minimum: float, maximum: float | None = None) -> str:
    return f"At least {minimum:,}." if maximum is None else f"From {minimum:,} to {maximum:,}."


def _place(param: tuple[str, Mapping[str, Any]]) -> int:
    """Return the sort key of a param; stable sorting keeps the library's order within a section."""
    section = param[1]["section"]
    order = [*FIRST, section, *LAST] if section not in FIRST + LAST else [*FIRST, "", *LAST]
    return order.index(section)


def teardown_params(files: Iterable[Path]) -> dict[str, Param]:
    """Return the teardown's params: the name, its confirmation, what to keep; the file may be deleted already."""
    name: dict[str, Any] = {"type": "string", "pattern": to_the_end(NAME), "section": "What to delete"}
    known = [file.stem for file in files]
    return {
        "classifier": Param(title="Classifier", description="Its name.", examples=known, **name),
        "confirm": Param(title="Confirm", description="Type the classifier's name again.", **name),
        "even_while_active": Param(
            False,
            type="boolean",
            title="Even while a run is active",
            description="Stop its training job and delete what it has created, instead of refusing until it has ended.",
            section="What to delete",
        ),
        "keep_images": _keep("Keep the images", "The prepared data set, and the uploads under incoming/."),
        "keep_models": _keep("Keep the models", "Model artifacts, checkpoints, evaluations and SageMaker models."),
        "keep_predictions": _keep("Keep the predictions", "Prediction records and corrections."),
    }


def classify_existing_params(files: Iterable[Path]) -> dict[str, Param]:
    """Return params that say which images are classified, how many at a time, and the maximum cost."""
    known = [file.stem for file in files]
    name: dict[str, Any] = {"type": "string", "pattern": to_the_end(NAME), "examples": known}
    prefix = "Only images whose keys below incoming/ begin with this; all if it is empty."
    again = "Also images that have a record, with the present model."
    budget = "A run that may cost more is refused; the lower of this and the file's max_cost_usd applies."
    at_once = "Number of images that one task classifies at the same time."
    by_job = (
        "More images than this are classified by a batch transform job, which leaves the endpoint to the uploads. It "
        "takes some ten minutes to start: as long as 20,000 images take through the endpoint."
    )
    return {
        "classifier": Param(title="Classifier", description="Its name.", **name),
        "prefix": _text("Prefix", prefix, longest=1024),
        "again": Param(False, type="boolean", title="Again", description=again),
        "tasks": _param(
            4, type="integer", minimum=1, maximum=64, title="Tasks", description="Maximum number of mapped tasks."
        ),
        "concurrency": _param(4, type="integer", minimum=1, maximum=32, title="Concurrency", description=at_once),
        "transform_above": _param(20_000, type="integer", minimum=0, title="Transform above", description=by_job),
        "max_cost_usd": _param(
            None, type=["number", "null"], minimum=0, title="Most it may cost (US dollars)", description=budget
        ),
    }


def roll_back_params(files: Iterable[Path]) -> dict[str, Param]:
    """Return the roll-back's params: classifier, version and reason."""
    known = [file.stem for file in files]
    name: dict[str, Any] = {"type": "string", "pattern": to_the_end(NAME), "examples": known}
    version = "Its number in the registry, or its training job; if empty, the newest approved version that is not live."
    reason = "It is stored with the version that is rejected."
    return {
        "classifier": Param(title="Classifier", description="Its name.", **name),
        "version": _text("Version", version, longest=63),
        "reason": _text("Reason", reason, longest=500),
    }


def watch_params() -> dict[str, Param]:
    """Return the param for the minutes after which the watch Dag replays an upload without a record."""
    description = "A younger upload is left to its own event, which Lambda tries three times in four minutes."
    return {"grace_s": _param(600, type="integer", minimum=0, title="Grace (s)", description=description)}


def _text(title: str, description: str, *, longest: int) -> Param:
    """Return a text that may be absent; Airflow's form does not start a run while a plain string is empty."""
    return Param(None, type=["string", "null"], maxLength=longest, title=title, description=description)


def _keep(title: str, description: str) -> Param:
    return Param(False, type="boolean", title=title, description=description, section="What to keep")
