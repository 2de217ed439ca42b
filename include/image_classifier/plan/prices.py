"""Finds the price of an instance per hour in AWS's Price List or, without one, in prices.yaml."""

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field

from image_classifier.plan.price_list import Use, published_price

log = logging.getLogger(__name__)

# Short time-outs: if the Price List cannot be reached, nobody should wait for minutes.
IMPATIENT = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
TABLE = Path(__file__).with_name("prices.yaml")
# The Price List's regions of a partition, by region prefix; a test compares them with botocore's endpoints.
PRICE_LIST_REGIONS = {
    "aws": {"us-east-1": "us-east-1", "eu-": "eu-central-1", "ap-": "ap-south-1"},
    "aws-cn": {"cn-northwest-1": "cn-northwest-1"},
    "aws-eusc": {"eusc-de-east-1": "eusc-de-east-1"},
    "aws-iso": {"us-iso-east-1": "us-iso-east-1"},
    "aws-iso-b": {"us-isob-east-1": "us-isob-east-1"},
    "aws-iso-e": {"eu-isoe-west-1": "eu-isoe-west-1"},
    "aws-iso-f": {"us-isof-south-1": "us-isof-south-1"},
}


@dataclass(frozen=True)
class Price:
    """The price of one instance in US dollars per hour, or None; and its source, or the reason why it is unknown."""

    usd_per_hour: float | None
    source: str


class Quoted(BaseModel):
    """A row of prices.yaml, with the day and the web page of the price."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: Annotated[str, Field(min_length=1)]
    instance_type: Annotated[str, Field(pattern=r"^ml\.")]
    use: Use
    usd_per_hour: Annotated[float, Field(gt=0)]
    as_of: date
    source: Annotated[str, Field(pattern=r"^https://\S+$")]


@functools.cache
def quoted_prices(file: Path = TABLE) -> tuple[Quoted, ...]:
    """Return the rows of the table."""
    return tuple(Quoted.model_validate(row) for row in yaml.safe_load(file.read_text(encoding="utf-8")) or ())


def price_list_region(region: str, *, partition: str) -> str | None:
    """Return the nearest region of the Price List, or None if the partition has none (GovCloud)."""
    regions = PRICE_LIST_REGIONS.get(partition, {})
    near = (there for start, there in regions.items() if region.startswith(start))
    return next(near, next(iter(regions.values()), None))


def price_book(meta: Any, *, client: Callable[[str], Any], table: Sequence[Quoted] | None = None) -> "PriceBook":
    """Return the prices of a client's region.

    Args:
        meta: the `meta` of a client of that region.
        client: creates a client of the Price List in a given region; see `IMPATIENT`.
        table: the prices without the Price List; prices.yaml by default.

    """
    there = price_list_region(meta.region_name, partition=meta.partition)
    pricing = None if there is None else client(there)
    return PriceBook(meta.region_name, pricing, quoted_prices() if table is None else table)


@dataclass(frozen=True)
class PriceBook:
    """The prices of one region.

    Attributes:
        region: the region of the instances.
        pricing: a client of the Price List, or None if the partition has none.
        table: the prices without the Price List.

    """

    region: str
    pricing: Any
    table: Sequence[Quoted]

    def price(self, instance_type: str, *, use: Use) -> Price:
        """Return the price of one instance from the Price List or, if it is not there, from the table."""
        published = self._published(instance_type, use=use)
        if published.usd_per_hour is not None:
            return published
        for row in self.table:
            if (row.region, row.instance_type, row.use) == (self.region, instance_type, use):
                return Price(row.usd_per_hour, f"{row.source}, of {row.as_of}; {published.source}")
        return Price(None, f"{published.source}, and {TABLE.name} has none for {use} in {self.region}")

    def _published(self, instance_type: str, *, use: Use) -> Price:
        if self.pricing is None:
            return Price(None, "this partition has no Price List")
        try:
            found = published_price(self.pricing, instance_type=instance_type, use=use, region=self.region)
        except (ClientError, BotoCoreError) as error:
            log.warning("The Price List cannot be read: %s", error)
            return Price(None, "the Price List cannot be read (the connection's role needs pricing:GetProducts)")
        if found is None:
            return Price(None, "the Price List has no price for it in US dollars")
        return Price(found.usd_per_hour, f"the Price List of {self.pricing.meta.endpoint_url}, of {found.published}")
