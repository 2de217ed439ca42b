"""Defines what a classifier's file says about evaluation, and about when a trained model goes live."""

from typing import Annotated, Literal

from pydantic import Field

from image_classifier.classifier.parts import ALL_DEFAULTS, InstanceType, Part

DAY_S = 86_400
Fraction = Annotated[float, Field(ge=0, le=1)]


class Floors(Part):
    """What a model must reach whatever serves at present: accuracy on the test set, and recall of every class."""

    accuracy: Fraction | None = None
    class_recall: Fraction | None = None


class Evaluation(Part):
    """The machine that scores the test images, and the accuracy for which the report proposes an `unsure_below`."""

    instance_type: InstanceType = "ml.m5.xlarge"
    time_limit_s: Annotated[int, Field(ge=60, le=5 * DAY_S)] = 3600
    wanted_accuracy: Annotated[float, Field(gt=0, lt=1)] = 0.95


class Promotion(Part):
    """Whether a model may go live, and by which comparison with the model that serves.

    ``mode``: ``approval`` asks a person in Airflow about a model that the rule lets through; no answer within
    ``approval_time_limit_s`` is a no. ``when``: ``unless_worse`` refuses a model only if it is shown to be worse;
    ``not_worse`` wants it shown that it is not worse by ``margin``; ``better`` wants it shown to be better. ``alpha``
    is the error that each test may make.
    """

    mode: Literal["automatic", "approval", "never"] = "automatic"
    approval_time_limit_s: Annotated[int, Field(ge=60, le=28 * DAY_S)] = 3 * DAY_S
    when: Literal["unless_worse", "not_worse", "better"] = "unless_worse"
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.02
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    floors: Floors = ALL_DEFAULTS
