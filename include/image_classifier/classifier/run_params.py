"""Defines the params of one run: the trigger form's fields, generated from the models that validate them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from image_classifier.classifier import Classifier, Endpoint, Training
from image_classifier.classifier.instance_types import TRAINS_ON
from image_classifier.classifier.tuning import Tuning
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.contracts.training.hyperparameters import Hyperparameters
from image_classifier.contracts.training.sentences import problems_of

# param -> the model and the field that it changes
_PLACES: dict[str, tuple[type[BaseModel], str]] = {
    "source": (Classifier, "source"),
    "training_instance_type": (Training, "instance_type"),
    "instance_type_fallbacks": (Training, "instance_type_fallbacks"),
    "time_limit_s": (Training, "time_limit_s"),
    "accept_time_limit": (Training, "accept_time_limit"),
    "endpoint_instance_type": (Endpoint, "instance_type"),
    "max_cost_usd": (Classifier, "max_cost_usd"),
    **{name: (Hyperparameters, name) for name in Hyperparameters.model_fields},
}
# A run may name these, as those of earlier forms do, but the form has no field for them: every other value is refused.
_WITHOUT_FIELD = ("multi_label", "use_weighted_loss")
# Only the form of a classifier whose file has `tuning` contains these: otherwise the Dag has no tuning tasks.
_TUNING_PLACES: dict[str, tuple[type[BaseModel], str]] = {
    "tune": (Tuning, "enabled"),
    "tuning_strategy": (Tuning, "strategy"),
    "tuning_max_jobs": (Tuning, "max_jobs"),
    "tuning_max_parallel": (Tuning, "max_parallel"),
    "tuning_early_stopping": (Tuning, "early_stopping"),
    "tuning_ranges": (Tuning, "ranges"),
}
_FIELD_OF: dict[type[BaseModel], str] = {
    Training: "training",
    Endpoint: "endpoint",
    Hyperparameters: "hyperparameters",
    Tuning: "tuning",
}
# Titles and descriptions of the form's fields that their models do not define.
_WORDS = {
    "source": ("Images", "A folder with one folder per class, s3://bucket/prefix/, or a list of images and labels."),
    "time_limit_s": ("Time limit (s)", "SageMaker stops the training job after this number of seconds."),
    "instance_type_fallbacks": (
        "Fallback instance types",
        "Tried in this order if AWS has no capacity for the training instance type, or the account has no quota.",
    ),
    "accept_time_limit": (
        "Accept the time limit",
        "A job that its time limit stops counts as trained; its best model so far is used.",
    ),
    "endpoint_instance_type": (
        "Endpoint instance type",
        "The instance that answers; it costs as long as it exists.",
    ),
    "tune": ("Tune hyperparameters", "Train several times, and use the model that is best on the validation images."),
    "tuning_strategy": ("Strategy", "Bayesian learns from earlier jobs; Random tries values independently."),
    "tuning_max_jobs": (
        "Maximum number of training jobs",
        "The first has the hyperparameters of this form, the others have values from the ranges. Each is paid for.",
    ),
    "tuning_max_parallel": ("Jobs at once", "With fewer at once a Bayesian search learns more from each."),
    "tuning_early_stopping": ("Early stopping", "Stop a job that is worse than the median of the others."),
    "tuning_ranges": (
        "Ranges",
        'The ranges to search: {"learning_rate": {"min": 0.001, "max": 0.1, "scaling": "Logarithmic"}, "optimizer": '
        '["sgd", "adam"]}.',
    ),
    "max_cost_usd": (
        "Most it may cost (US dollars)",
        "A run that may cost more, its endpoint's first day included, is refused before anything is paid. It can lower "
        "the limit of the classifier's file, and not raise it.",
    ),
}
# The form's descriptions of the instance types that fit the classifier's algorithm.
_TRAINING_MACHINES = {
    "builtin": "A GPU instance: P2, P3, G4dn or G5.",
    "own": "An instance without GPU, or with one if the image holds PyTorch's CUDA build.",
}


class RunParams(BaseModel):
    """The params of a run that do not change the classifier."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    plan: bool = Field(
        default=False,
        title="Only plan",
        description="Show what the run would create and change, and its maximum cost; change nothing.",
    )

    force_retrain: bool = Field(
        default=False,
        title="Train even if nothing changed",
        description="Start and pay for a new training job although one exists for these images and settings.",
    )
    reset_labels: bool = Field(
        default=False,
        title="Reset labels",
        description="Start a new list of classes. Needed if a class was removed; earlier models keep their list.",
    )
    promote_version: str | None = Field(
        default=None,
        max_length=63,
        title="Promote version",
        description="A model that a person rejected or went back from stays out, unless this names it by its training "
        "job or its number in the registry. It must be the model of these images and settings.",
    )

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> "RunParams":
        """Read a run's params.

        Raises:
            ClassifierFileError: the params cannot be used; the message names every wrong one.

        """
        try:
            return cls.model_validate(dict(params))
        except ValidationError as error:
            raise ClassifierFileError(f"These params cannot be used. {' '.join(problems_of(error))}") from error


def run_params_schema(classifier: Classifier) -> dict[str, dict[str, Any]]:
    """Return the form's fields by name, as JSON schemas: title, description, limits, the classifier's value."""
    values = classifier.model_dump(mode="json")
    fields, schemas = _form_fields(with_tuning=classifier.tuning is not None), {}
    for name, (part, field) in _places(classifier).items():
        holder = values if part is Classifier else values[_FIELD_OF[part]]
        words = {"title": _WORDS[name][0], "description": _WORDS[name][1]} if name in _WORDS else {}
        schemas[name] = {**fields[name], **words, "default": holder[field]}
    schemas["training_instance_type"] |= {
        "title": "Training instance type",
        "enum": list(TRAINS_ON[classifier.algorithm]),
        "description": _TRAINING_MACHINES[classifier.algorithm],
    }
    schemas["instance_type_fallbacks"] |= {
        "examples": list(TRAINS_ON[classifier.algorithm]),  # the form shows them as a list
        "default": list(classifier.training.instance_type_fallbacks),
    }
    if "tuning_ranges" in schemas:
        schemas["tuning_ranges"] = _free_object(schemas["tuning_ranges"])
    for name in _WITHOUT_FIELD:
        del schemas[name]
    return {**schemas, **{name: fields[name] for name in RunParams.model_fields}}


def with_run_params(classifier: Classifier, params: Mapping[str, Any]) -> Classifier:
    """Return the classifier with the values that one run's params change; see `changes`.

    The lower of the file's ``max_cost_usd`` and the run's applies.

    Raises:
        ClassifierFileError: the params cannot be used; the message names every wrong one.

    """
    revised = classifier.revised(changes(params, places=_places(classifier)))
    limits = [limit for limit in (classifier.max_cost_usd, revised.max_cost_usd) if limit is not None]
    return revised.model_copy(update={"max_cost_usd": min(limits, default=None)})


Places = Mapping[str, tuple[type[BaseModel], str]]


def _places(classifier: Classifier) -> Places:
    """Return the fields of this classifier that a run may change."""
    return _PLACES if classifier.tuning is None else {**_PLACES, **_TUNING_PLACES}


def changes(params: Mapping[str, Any], *, places: Places) -> dict[str, Any]:
    """Return a run's changes, nested as the classifier's fields are: ``{"training": {"spot": True}}``.

    Args:
        params: the run's params, by name.
        places: the model and the field of each param, by its name.

    Raises:
        ClassifierFileError: a param does not exist; without the error it would be ignored.

    """
    if unknown := sorted(set(params) - set(places) - set(RunParams.model_fields)):
        known = sorted([*places, *RunParams.model_fields])
        raise ClassifierFileError(f"There is no param {', '.join(unknown)}; there are {', '.join(known)}.")
    changed: dict[str, Any] = {}
    for name in params.keys() & places.keys():
        part, field = places[name]
        holder = changed if part is Classifier else changed.setdefault(_FIELD_OF[part], {})
        holder[field] = params[name]
    return changed


def _free_object(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form field that accepts any object; the model validates its contents, with better messages."""
    shown = ("title", "description", "default")
    return {"type": "object", **{name: schema[name] for name in shown}}


def to_the_end(pattern: str) -> str:
    r"""Return a pattern for a form, in which $ does not match before a final line break, as it does in Python's `re`.

    ``\Z`` cannot be used: Airflow checks the pattern with `re`, but browsers check it too and read the letter Z.
    """
    return f"{pattern.removesuffix('$')}(?!\\n)$" if pattern.endswith("$") else pattern


class _FormSchema(GenerateJsonSchema):
    def encode_default(self, dft: Any) -> Any:
        """Return a default as it is: a classifier's are replaced, and pydantic would make a type adapter for each."""
        return dft


@cache
def _form_fields(*, with_tuning: bool) -> dict[str, dict[str, Any]]:
    """Return the JSON schema of every param, by name; pydantic makes all in one call, as a call takes milliseconds."""
    places = {**_PLACES, **_TUNING_PLACES} if with_tuning else _PLACES
    fields = {name: _core_fields(part)[field] for name, (part, field) in places.items()}
    fields |= _core_fields(RunParams)
    properties = _FormSchema().generate({"type": "model-fields", "fields": fields})["properties"]
    return {name: _form_field(schema) for name, schema in properties.items()}


@cache
def _core_fields(model: type[BaseModel]) -> dict[str, Any]:
    """Return the fields of a model in pydantic's core schema; a classifier's schema contains those of its parts."""
    if model in _FIELD_OF:
        schema = _core_fields(Classifier)[_FIELD_OF[model]]
    else:
        model.model_rebuild()  # pydantic builds a model's validator at its first use
        schema = model.__pydantic_core_schema__
    while "fields" not in schema:
        schema = schema["schema"]
    fields: dict[str, Any] = schema["fields"]
    return fields


def _form_field(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Replace pydantic's anyOf of an optional field by ``"type": ["integer", "null"]``, which the form supports."""
    schema = dict(schema)
    if "anyOf" in schema:
        given = next(option for option in schema.pop("anyOf") if option["type"] != "null")
        schema = {**given, **schema, "type": [given["type"], "null"]}
        schema |= {"enum": [*given["enum"], None]} if "enum" in given else {}
    if "pattern" in schema:
        schema["pattern"] = to_the_end(schema["pattern"])
    return schema
