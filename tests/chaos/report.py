"""Prints the table of results: this project's operators beside the provider's, for each scenario."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from laptop.place import LaptopError

NONE = "-"


@dataclass
class Row:
    """One scenario."""

    sentence: str
    began: float = field(default_factory=time.monotonic)
    ours: str = ""
    passed: bool = False
    stock: str = "the provider has no operator for this"
    stock_passed: bool | None = None
    seconds: float = 0.0

    def set_stock(self, passed: bool, found: str) -> None:
        """Set the result of the provider's operators; it does not decide the test."""
        self.stock_passed, self.stock = passed, found

    @contextlib.contextmanager
    def baseline(self) -> Iterator[None]:
        """Run the provider's part of a scenario; its errors are results too."""
        try:
            yield
        except (TimeoutError, LookupError, LaptopError, ClientError, BotoCoreError) as error:
            self.set_stock(False, str(error).splitlines()[0])

    def check_ours(self, passed: bool, found: str) -> None:
        """Set the result of this project's operators, and fail the test unless it passed."""
        self.ours = found
        assert passed, found

    def end(self, *, passed: bool, error: str) -> None:
        """Set the duration and the outcome of the test."""
        self.seconds = time.monotonic() - self.began
        self.passed = passed
        if not passed and error and not self.ours:
            self.ours = error


def print_table(rows: list[Row], console: Console) -> None:
    """Print every scenario, and a line that counts them."""
    table = Table(title="Faults, through real Airflow processes and the local AWS", show_lines=True)
    table.add_column("Scenario", ratio=5)
    table.add_column("Ours", width=4)
    table.add_column("What ours did", ratio=4)
    table.add_column("Stock", width=5)
    table.add_column("What the stock operators did", ratio=4)
    table.add_column("s", justify="right", width=4)
    for row in rows:
        stock = NONE if row.stock_passed is None else _outcome(row.stock_passed)
        cells = [row.sentence, _outcome(row.passed), escape(row.ours), stock, escape(row.stock), f"{row.seconds:.0f}"]
        table.add_row(*cells)
    console.print(table)
    compared = [row for row in rows if row.stock_passed is not None]
    console.print(
        f"Ours: {sum(row.passed for row in rows)} of {len(rows)} passed. "
        f"Stock operators: {sum(bool(row.stock_passed) for row in compared)} of {len(compared)}, where there are any."
    )


def _outcome(passed: bool) -> str:
    return "[green]pass[/]" if passed else "[red]FAIL[/]"
