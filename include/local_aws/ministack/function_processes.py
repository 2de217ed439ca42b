"""Keeps the processes of all functions, whose number is limited however many events wait."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_aws.function_runtime import link_runtime_packages
from local_aws.ministack import function_folders
from local_aws.ministack.function_process import Function, FunctionProcess


class NoProcessFreeError(Exception):
    """Every process stayed busy for as long as the caller could wait."""


class FunctionProcesses:
    """Lends processes to invocations, keeps them warm between two, and ends outdated ones."""

    def __init__(self, folder: Path, *, limit: int) -> None:
        """Empty `folder`: its content was left by processes that were killed."""
        function_folders.remove(folder)
        self._folder = folder / "running"
        self._folder.mkdir(parents=True)
        self._packages = folder / "runtime"
        link_runtime_packages(self._packages)
        self.limit = limit
        self._idle: list[FunctionProcess] = []  # the longest idle first
        self._leased: list[FunctionProcess | None] = []  # None while a process is being started
        self._outdated: set[str] = set()
        self._changed = threading.Condition()

    @contextmanager
    def lend(self, function: Function, *, wait_s: float | None = None) -> Iterator[FunctionProcess]:
        """Lend a process of this function for one invocation.

        Raises:
            NoProcessFreeError: none came free within `wait_s` seconds.

        """
        process = self._take(function, wait_s=wait_s)
        try:
            yield process
        finally:
            self._give_back(process)

    def end_processes_of(self, name: str) -> None:
        """End the function's processes; a busy one ends after its invocation."""
        with self._changed:
            ended = [process for process in self._idle if process.function.name == name]
            self._idle = [process for process in self._idle if process not in ended]
            self._outdated |= {item.function.key for item in self._leased if item and item.function.name == name}
            self._changed.notify_all()
        for process in ended:
            process.stop()

    def stop(self) -> None:
        """End every process, busy or not."""
        with self._changed:
            processes = [*self._idle, *(process for process in self._leased if process)]
            self._idle.clear()
        for process in processes:
            process.stop()

    def _take(self, function: Function, *, wait_s: float | None) -> FunctionProcess:
        deadline = None if wait_s is None else time.monotonic() + wait_s
        with self._changed:
            while True:
                warm = next((item for item in self._idle if item.function.key == function.key), None)
                if warm:
                    self._idle.remove(warm)
                    self._leased.append(warm)
                    return warm
                if len(self._idle) + len(self._leased) < self.limit:
                    evicted = None
                    break
                if self._idle:
                    evicted = self._idle.pop(0)
                    break
                remaining_s = None if deadline is None else deadline - time.monotonic()
                if not self._changed.wait(remaining_s) and remaining_s is not None:
                    raise NoProcessFreeError
            self._leased.append(None)
        return self._start(function, instead_of=evicted)

    def _start(self, function: Function, *, instead_of: FunctionProcess | None) -> FunctionProcess:
        process = None
        try:
            if instead_of:
                instead_of.stop()
            process = FunctionProcess(function, folder=self._folder, packages=self._packages)
        finally:
            with self._changed:
                self._leased.remove(None)
                if process:
                    self._leased.append(process)
                self._changed.notify_all()
        return process

    def _give_back(self, process: FunctionProcess) -> None:
        with self._changed:
            is_kept = process.is_usable and process.function.key not in self._outdated
        if not is_kept:
            process.stop()
        with self._changed:
            self._leased.remove(process)
            if is_kept:
                self._idle.append(process)
            elif not any(item and item.function.key == process.function.key for item in self._leased):
                self._outdated.discard(process.function.key)
            self._changed.notify_all()
