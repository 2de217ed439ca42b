"""The rule of a classifier's file by which a trained model goes live, or does not."""

from typing import Annotated, Literal

from pydantic import Field

from image_classifier.classifier.parts import Part

Fraction = Annotated[float, Field(ge=0, le=1)]


class Floors(Part):
    """What a model must reach whatever serves at present: accuracy on the test set, and recall of every class."""

    accuracy: Fraction | None = None
    class_recall: Fraction | None = None


class Promotion(Part):
    """Who decides, and by which comparison with the model that serves.

    ``when``: ``unless_worse`` refuses a model only if it is shown to be worse; ``not_worse`` wants it shown that it is
    not worse by ``margin``; ``better`` wants it shown to be better. ``alpha`` is the error that each test may make.
    """

    mode: Literal["automatic", "approval", "never"] = "automatic"
    when: Literal["unless_worse", "not_worse", "better"] = "unless_worse"
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.02
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    floors: Floors = Field(default_factory=Floors)
