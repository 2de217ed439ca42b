"""Defines a plan: every resource of a classifier, what a run would do with it, and the maximum cost."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from image_classifier.contracts.errors import BudgetError

SECONDS_AN_HOUR = 3600
HOURS_A_DAY = 24
HOURS_A_MONTH = 730  # a twelfth of 365 days, in hours
NOT_COUNTED = (
    "Not in these figures: storage volumes of training jobs and endpoints, S3, Lambda and logs, which are paid by use; "
    "a later attempt at a job that failed; the old machines of an endpoint while an update replaces them."
)


@dataclass(frozen=True)
class Cost:
    """The maximum cost of one resource, in US dollars; None if its price is unknown.

    Attributes:
        once_usd: the maximum that is paid once, such as for a job.
        hourly_usd: the price per hour while the resource exists.
        words: how the figures are computed, or why they are missing.

    """

    once_usd: float | None = 0.0
    hourly_usd: float | None = 0.0
    words: str = "nothing"


FREE = Cost()
BY_USE = Cost(words="by use")


@dataclass(frozen=True)
class Line:
    """One resource: its name, and what the run does with it, such as created, updated, reused or unchanged."""

    resource: str
    name: str
    change: str
    cost: Cost = FREE

    @property
    def first_day_usd(self) -> float | None:
        """Return the one-time cost and a day's cost of what the run creates or changes."""
        if self.change == "unchanged":
            return 0.0
        if self.cost.once_usd is None or self.cost.hourly_usd is None:
            return None
        return self.cost.once_usd + HOURS_A_DAY * self.cost.hourly_usd


@dataclass(frozen=True)
class Plan:
    """The changes that a run of a classifier would make.

    Attributes:
        classifier: its name.
        lines: one for each resource.
        test_set: sentences about what a test set of this size can show of a model.
        advice: sentences about settings that would make the run cheaper.

    """

    classifier: str
    lines: tuple[Line, ...]
    test_set: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def first_day_usd(self) -> float | None:
        """Return the maximum cost of the run and its endpoint's first day; None if a price is unknown."""
        costs = [line.first_day_usd for line in self.lines]
        return None if None in costs else round(sum(cost for cost in costs if cost is not None), 6)

    def as_json(self) -> dict[str, Any]:
        """Return ``classifier``, ``first_day_usd``, ``lines``, ``test_set`` and ``advice`` as JSON values, for XCom."""
        return {
            "classifier": self.classifier,
            "first_day_usd": self.first_day_usd,
            "lines": _as_json(self.lines),
            "test_set": list(self.test_set),
            "advice": list(self.advice),
        }

    def as_table(self) -> str:
        """Return the plan as a text table."""
        rows = [("resource", "name", "would be", "costs at most"), *(_row(line) for line in self.lines)]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        table = [
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
        ]
        return "\n".join([*table, "", *self.advice, *self.test_set, self._total(), NOT_COUNTED])

    def _total(self) -> str:
        if (usd := self.first_day_usd) is not None:
            return f"The run and the endpoint's first day: at most {usd:,.2f} US dollars."
        return "The run and the endpoint's first day: not known, because a price is not."


def check_budget(plan: Plan, *, max_cost_usd: float) -> None:
    """Check that the plan costs at most `max_cost_usd`.

    Raises:
        BudgetError: the plan may cost more, or a price is unknown; nothing was started.

    """
    usd = plan.first_day_usd
    if usd is None:
        unknown = "; ".join(f"{line.resource}: {line.cost.words}" for line in plan.lines if line.first_day_usd is None)
        message = (
            f"max_cost_usd is {max_cost_usd:g}, and what classifier {plan.classifier} would cost is not known: "
            f"{unknown}. Let the connection's role call pricing:GetProducts; or add the price, with its day and its "
            "source, to include/image_classifier/plan/prices.yaml; or empty max_cost_usd for this run. Nothing was "
            "started."
        )
        raise BudgetError(message)
    if usd > max_cost_usd:
        message = (
            f"Classifier {plan.classifier} may cost {usd:,.2f} US dollars until its endpoint is a day old, and "
            f"max_cost_usd is {max_cost_usd:g}. Lower time_limit_s, choose smaller machines, or raise max_cost_usd. "
            "Nothing was started."
        )
        raise BudgetError(message)


def _row(line: Line) -> tuple[str, str, str, str]:
    return line.resource, line.name, line.change, line.cost.words


def _as_json(lines: Sequence[Line]) -> list[Mapping[str, Any]]:
    return [asdict(line) for line in lines]
