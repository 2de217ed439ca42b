"""Defines the schedule of a classifier: cron times, and changes of Airflow Assets."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from image_classifier.classifier.parts import Part
from image_classifier.contracts.training.sentences import pattern

CRON = pattern(
    r"^(@[a-zA-Z_]+|[!-~]+( [!-~]+){4})$",
    "Use a cron expression of five fields in UTC, such as 0 3 * * 1 (Mondays at 3:00 UTC), or a preset such as @weekly",
)
_ASSET = pattern(r"^[ -~]*[!-~][ -~]*$", "Give the name or the URI of an Airflow Asset, in ASCII")
Cron = Annotated[str, Field(max_length=250), Field(pattern=CRON)]
AssetName = Annotated[str, Field(min_length=1, max_length=1500, pattern=_ASSET)]
OWN_ASSETS = "image-classifier"  # prefix of the assets that the Dags themselves change


class Schedule(Part):
    """A cron expression, Airflow Assets, or both: a run starts at each time, and whenever one of the assets changes."""

    cron: Cron | None = None  # in UTC
    assets: Annotated[tuple[AssetName, ...], Field(max_length=50)] = ()  # names, or URIs, which hold ://

    @model_validator(mode="before")
    @classmethod
    def _accept_cron_alone(cls, values: Any) -> Any:
        return values if isinstance(values, Mapping | Schedule) else {"cron": values}

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.cron is None and not self.assets:
            raise ValueError("schedule names neither cron nor assets; give one, or leave schedule out.")
        return self


def own_asset(classifier: str, kind: str) -> str:
    """Return the name of the Asset of a classifier's data set, model or endpoint."""
    return f"{OWN_ASSETS}/{classifier}/{kind}"
