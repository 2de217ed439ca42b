"""The table at the end: what became of each scenario, ours beside the provider's operators."""

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

    def judge_stock(self, passed: bool, found: str) -> None:
        """What the provider's operators made of it; it decides nothing."""
        self.stock_passed, self.stock = passed, found

    @contextlib.contextmanager
    def baseline(self) -> Iterator[None]:
        """Around what is done for the baseline: its trouble is a result too."""
        try:
            yield
        except (TimeoutError, LookupError, LaptopError, ClientError, BotoCoreError) as error:
            self.judge_stock(False, str(error).splitlines()[0])

    def judge_ours(self, passed: bool, found: str) -> None:
        """What ours made of it; it decides the run."""
        self.ours = found
        assert passed, found

    def end(self, *, passed: bool, trouble: str) -> None:
        """Write down how the test ended."""
        self.seconds = time.monotonic() - self.began
        self.passed = passed
        if not passed and trouble and not self.ours:
            self.ours = trouble


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
        stock = NONE if row.stock_passed is None else _verdict(row.stock_passed)
        told = [row.sentence, _verdict(row.passed), escape(row.ours), stock, escape(row.stock), f"{row.seconds:.0f}"]
        table.add_row(*told)
    console.print(table)
    compared = [row for row in rows if row.stock_passed is not None]
    console.print(
        f"Ours: {sum(row.passed for row in rows)} of {len(rows)} passed. "
        f"Stock operators: {sum(bool(row.stock_passed) for row in compared)} of {len(compared)}, where there are any."
    )


def _verdict(passed: bool) -> str:
    return "[green]pass[/]" if passed else "[red]FAIL[/]"
