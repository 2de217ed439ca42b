"""Defines the parts of a classifier's file about evaluation and promotion."""

from typing import Annotated, Literal

from pydantic import Field

from image_classifier.classifier.parts import ALL_DEFAULTS, InstanceType, Part

DAY_S = 86_400
Fraction = Annotated[float, Field(ge=0, le=1)]


class Floors(Part):
    """The minimum of a model's accuracy on the test set and of every class's recall, each from 0 to 1."""

    accuracy: Fraction | None = None
    class_recall: Fraction | None = None


class Evaluation(Part):
    """The instances that score the test images, and the accuracy for which the report proposes an `unsure_below`."""

    instance_type: InstanceType = "ml.m5.xlarge"
    time_limit_s: Annotated[int, Field(ge=60, le=5 * DAY_S)] = 3600
    wanted_accuracy: Annotated[float, Field(gt=0, lt=1)] = 0.95


class Promotion(Part):
    """The rule by which a model may go live, and by which it is compared with the live model.

    ``mode``: ``approval`` asks a person in Airflow about a model that passes the rule; the model is rejected if nobody
    answers within ``approval_time_limit_s``. ``when``: ``unless_worse`` rejects a model only if the test shows that it
    is worse; ``not_worse`` requires that the test shows it is not worse by ``margin``; ``better`` requires that the
    test shows it is better. ``alpha`` is the significance level of each test.
    """

    mode: Literal["automatic", "approval", "never"] = "automatic"
    approval_time_limit_s: Annotated[int, Field(ge=60, le=28 * DAY_S)] = 3 * DAY_S
    when: Literal["unless_worse", "not_worse", "better"] = "unless_worse"
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.02
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    floors: Floors = ALL_DEFAULTS
