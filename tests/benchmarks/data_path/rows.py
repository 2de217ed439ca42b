"""Defines the comparisons: each runs our side and its peers in turn, and returns what was reached."""

import contextlib
import filecmp
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.data_path import peers, sinks
from tests.benchmarks.data_path.ours import KEY, REGION, SECRET
from tests.benchmarks.data_path.peers import ROOT
from tests.benchmarks.data_path.usage import OWN_SECONDS, Usage, in_turn, median, usage_of

BEFORE = "5d7cdd0"  # the commit before images were prepared in shards and uploaded by obstore
S5CMD_WORKERS = (4, 8, 16, 64)
SINK_BOUND = 1.5
MOST_MB = 300


@dataclass(frozen=True)
class Row:
    """One line of the table; the goal is a ratio of the peer's seconds to ours, unless `verdict` says otherwise."""

    what: str
    ours: Usage
    against: str = ""
    theirs: Usage | None = None
    goal: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class Bench:
    """Where the images and the peers are, and how often everything is measured.

    Attributes:
        sets: folders of images, by what they are called in the table.
        work: an empty folder.

    """

    sets: Mapping[str, Path]
    work: Path
    peers: Path
    rounds: int

    def ours(self, *arguments: str, library: Path = ROOT) -> Usage:
        """Run a command of `ours` with the library of this or another working tree."""
        path = os.pathsep.join([str(library / "include"), str(ROOT)])
        command = [sys.executable, "-m", "tests.benchmarks.data_path.ours", *arguments]
        return usage_of(command, env=self.environment | {"PYTHONPATH": path})

    @property
    def environment(self) -> dict[str, str]:
        """Variables without AWS's; Python may keep compiled files, as those of a deployment are compiled once."""
        mine = [name for name in os.environ if name.startswith("AWS_") or name == "PYTHONDONTWRITEBYTECODE"]
        kept = {name: value for name, value in os.environ.items() if name not in mine}
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION}
        return kept | keys | {"AWS_EC2_METADATA_DISABLED": "true"}

    def packing(self) -> Iterator[Row]:
        """`.lst` and RecordIO."""
        for name, folder in self.sets.items():
            ours, theirs = (self.work / f"{side}-{folder.name}" for side in ("ours", "theirs"))
            im2rec = " ".join(peers.im2rec(self.peers))
            command = f"{im2rec} --list --recursive {theirs} {folder} && {im2rec} --pass-through {theirs}.lst {folder}"
            sides = {
                "ours": lambda folder=folder, ours=ours: self.ours("pack", str(folder), str(ours)),
                "im2rec": lambda command=command: usage_of(["sh", "-c", command], env=self.environment),
            }
            found = in_turn(sides, rounds=self.rounds)
            same = all(filecmp.cmp(f"{ours}.{end}", f"{theirs}.{end}", shallow=False) for end in ("lst", "rec", "idx"))
            bytes_are = "identical bytes" if same else "OTHER BYTES"
            yield _compared(f".lst, .rec and .idx, {name}", found, "im2rec", least=6, note=bytes_are)

    def uploads(self) -> Iterator[Row]:
        """Upload alone, to nginx."""
        name, folder = list(self.sets.items())[-1]
        files = sorted(folder.rglob("*.*"))
        with sinks.nginx(self.work / "nginx") as url:
            most = sinks.limit(url, body=files[0].read_bytes(), count=len(files))
            found = in_turn(self._uploads(folder, url), rounds=self.rounds)
        speed = len(files) / found["ours"].wall_s
        note = f"sink {most:,.0f}/s" + (", sink-bound" if speed * SINK_BOUND > most else "")
        s5cmd = min((one for one in found if one.startswith("s5cmd")), key=lambda one: found[one].wall_s)
        for peer, least in ((s5cmd, 1.1), ("aws s3 sync", 15), ("boto3, 8 threads", 5)):
            yield _compared(f"upload alone, {name}", found, peer, least=least, note=note)

    def _uploads(self, folder: Path, url: str) -> dict[str, Callable[[], Usage]]:
        s5cmd = [str(peers.program(self.peers, "s5cmd")), "--endpoint-url", url]
        aws = [str(peers.program(self.peers, "aws")), "--endpoint-url", url]
        to = f"s3://{sinks.BUCKET}"

        def run(*command: str) -> Callable[[], Usage]:
            return lambda: usage_of(command, env=self.environment)

        return {
            "ours": lambda: self.ours("upload", str(folder), url, sinks.BUCKET, OWN_SECONDS),
            **{
                f"s5cmd, {workers} workers": run(
                    *s5cmd, "--numworkers", str(workers), "cp", f"{folder}/", f"{to}/s5cmd/"
                )
                for workers in S5CMD_WORKERS
            },
            "aws s3 sync": run(*aws, "s3", "sync", "--only-show-errors", str(folder), f"{to}/aws/"),
            "boto3, 8 threads": lambda: self.ours("upload_by_boto3", str(folder), url, sinks.BUCKET, OWN_SECONDS),
        }

    def preparation(self) -> Iterator[Row]:
        """Prepare and upload, to `rclone serve s3`; and again with nothing changed."""
        name, folder = list(self.sets.items())[-1]
        files = sorted(folder.rglob("*.*"))
        with _tree_of(BEFORE, self.work / "before") as before:
            sides = {
                "ours": lambda: self._prepared(folder),
                "the commit before": lambda: self._prepared(folder, library=before),
            }
            found = in_turn(sides, rounds=self.rounds)
        with sinks.rclone(peers.program(self.peers, "rclone"), self.work / "rclone") as url:
            most = sinks.limit(url, body=files[0].read_bytes(), count=len(files) // 4)
        ours = found["ours"]
        note = f"CPU {ours.cpu_s * 1000 / len(files):.2f} ms an image (at most 2.6), sink {most:,.0f}/s"
        note += ", sink-bound" if len(files) / ours.wall_s * SINK_BOUND > most else ""
        yield _compared(f"prepare and upload, {name}", found, "the commit before", least=1.8, note=note)
        yield self._unchanged(name, folder)

    def _prepared(self, folder: Path, *, library: Path = ROOT) -> Usage:
        with sinks.rclone(peers.program(self.peers, "rclone"), self.work / "rclone") as url:
            return self.ours("prepare", str(folder), url, sinks.BUCKET, OWN_SECONDS, library=library)

    def _unchanged(self, name: str, folder: Path) -> Row:
        with sinks.rclone(peers.program(self.peers, "rclone"), self.work / "rclone") as url:
            s5cmd = [str(peers.program(self.peers, "s5cmd")), "--endpoint-url", url, "--numworkers", "8"]
            sync = [*s5cmd, "sync", f"{folder}/", f"s3://{sinks.BUCKET}/s5cmd/"]
            sides = {
                "ours": lambda: self.ours("prepare", str(folder), url, sinks.BUCKET, OWN_SECONDS),
                "s5cmd sync": lambda: usage_of(sync, env=self.environment),
            }
            for first in sides.values():
                first()
            found = in_turn(sides, rounds=self.rounds)
        return _compared(f"unchanged, {name}", found, "s5cmd sync", least=1 / 0.3)

    def scale(self, counts: tuple[int, ...]) -> Iterator[Row]:
        """Listing; grouping alone; and choosing, grouping, splitting and writing the lists."""
        bare = median([self.ours("nothing") for _ in range(self.rounds)])
        steps = {
            "list_images": "list",
            "group": "group near-duplicates",
            "assemble": "group, split and write lists of",
            "assemble_again": "the same with a version of all but one of",
        }
        for command, what in steps.items():
            before = None
            for count in counts:
                found = median([self.ours(command, str(count)) for _ in range(1 if count > 100_000 else self.rounds)])
                more_mb = found.peak_mb - bare.peak_mb
                grown = f"{found.wall_s / before:.1f} times the row before; " if before else ""
                verdict = f"{grown}{more_mb:+,.0f} MB: {'reached' if more_mb < MOST_MB else 'NOT REACHED'}"
                yield Row(
                    f"{what} {count:,} images", found, "a bare task process", bare, f"< {MOST_MB} MB more", verdict
                )
                before = found.wall_s


def _compared(what: str, found: Mapping[str, Usage], peer: str, *, least: float, note: str = "") -> Row:
    ratio = found[peer].wall_s / found["ours"].wall_s
    reached = "reached" if ratio >= least else "NOT REACHED"
    if "sink-bound" in note:
        reached = "does not count"
    verdict = ": ".join((f"{ratio:.1f} times", ", ".join(filter(None, (reached, note)))))
    return Row(what, found["ours"], peer, found[peer], f">= {least:.1f} times", verdict)


@contextlib.contextmanager
def _tree_of(commit: str, folder: Path) -> Iterator[Path]:
    """A working tree of a commit."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)
