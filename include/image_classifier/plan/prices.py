"""Finds the price of an instance per hour in AWS's Price List, or in the table beside this file."""

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

# Without a way to AWS's Price List, nobody should wait for it for minutes.
IMPATIENT = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
TABLE = Path(__file__).with_name("prices.yaml")
# Where a partition answers for the Price List, and for which regions; a test compares them with botocore's endpoints.
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
    """US dollars an hour of one machine, or None; and in words whose price that is, or why there is none."""

    usd_per_hour: float | None
    source: str


class Quoted(BaseModel):
    """A row of the table: a figure is worth nothing without the day it held and the page that says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: Annotated[str, Field(min_length=1)]
    instance_type: Annotated[str, Field(pattern=r"^ml\.")]
    use: Use
    usd_per_hour: Annotated[float, Field(gt=0)]
    as_of: date
    source: Annotated[str, Field(pattern=r"^https://\S+$")]


@functools.cache
def quoted_prices(file: Path = TABLE) -> tuple[Quoted, ...]:
    """The rows of the table."""
    return tuple(Quoted.model_validate(row) for row in yaml.safe_load(file.read_text(encoding="utf-8")) or ())


def price_list_region(region: str, *, partition: str) -> str | None:
    """The nearest region that answers for the Price List, or None if the partition has none (GovCloud)."""
    regions = PRICE_LIST_REGIONS.get(partition, {})
    near = (there for start, there in regions.items() if region.startswith(start))
    return next(near, next(iter(regions.values()), None))


def price_book(meta: Any, *, client: Callable[[str], Any], table: Sequence[Quoted] | None = None) -> "PriceBook":
    """The prices of a client's region.

    Args:
        meta: the `meta` of a client of that region.
        client: makes a client of the Price List in the region that answers for it; see `IMPATIENT`.
        table: what is known without the Price List, if not the table beside this file.

    """
    there = price_list_region(meta.region_name, partition=meta.partition)
    pricing = None if there is None else client(there)
    return PriceBook(meta.region_name, pricing, quoted_prices() if table is None else table)


@dataclass(frozen=True)
class PriceBook:
    """The prices of one region.

    Attributes:
        region: where the machines would be.
        pricing: a client of the Price List, or None where the partition has none.
        table: what is known without it.

    """

    region: str
    pricing: Any
    table: Sequence[Quoted]

    def price(self, instance_type: str, *, use: Use) -> Price:
        """The price of one machine: AWS's own if it can be had, else the table's, else unknown."""
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
