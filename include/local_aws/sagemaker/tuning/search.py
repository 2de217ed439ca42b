"""Chooses the next hyperparameters: Optuna's samplers with SageMaker's strategies and scaling types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.samplers import BaseSampler
    from optuna.trial import Trial

    from local_aws.sagemaker.tuning.ranges import Range

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Search:
    """Chooses the values of each training job from the objectives of the earlier ones."""

    def __init__(self, ranges: Sequence[Range], *, strategy: str, maximize: bool, seed: int | None) -> None:
        """`strategy` is ``Bayesian`` or ``Random``; the same `seed` gives the same first values."""
        self._ranges = {item.name: item for item in ranges}
        self._distributions = {item.name: _distribution(item) for item in ranges}
        direction = StudyDirection.MAXIMIZE if maximize else StudyDirection.MINIMIZE
        self._study = optuna.create_study(direction=direction, sampler=_sampler(strategy, seed))
        self._asked: dict[str, Trial] = {}

    def ask(self, name: str) -> dict[str, str]:
        """Return the hyperparameters of the training job `name`, as texts."""
        trial = self._study.ask(self._distributions)
        self._asked[name] = trial
        return {key: _text(self._ranges[key], value) for key, value in trial.params.items()}

    def tell(self, name: str, hyperparameters: dict[str, str], *, objective: float | None) -> None:
        """Record the value of the objective metric at the end of a training job; None if it has none."""
        trial = self._asked.pop(name, None)
        if trial is not None:
            state = TrialState.FAIL if objective is None else TrialState.COMPLETE
            self._study.tell(trial, objective, state=state)
        elif objective is not None:  # its values were asked for before a restart of the server
            params = {key: _value(self._ranges[key], text) for key, text in hyperparameters.items()}
            self._study.add_trial(
                optuna.trial.create_trial(params=params, distributions=self._distributions, value=objective)
            )


def _sampler(strategy: str, seed: int | None) -> BaseSampler:
    if strategy == "Random":
        return optuna.samplers.RandomSampler(seed=seed)
    # constant_liar chooses different values for training jobs that run at the same time.
    return optuna.samplers.TPESampler(seed=seed, constant_liar=True)


def _distribution(item: Range) -> BaseDistribution:
    if item.kind == "Categorical":
        return CategoricalDistribution(item.values)
    if item.kind == "Integer":
        return IntDistribution(int(item.low), int(item.high), log=item.scaling == "Logarithmic")
    if item.scaling == "ReverseLogarithmic":  # the distance from 1 is searched logarithmically
        return FloatDistribution(1 - item.high, 1 - item.low, log=True)
    return FloatDistribution(item.low, item.high, log=item.scaling == "Logarithmic")


def _text(item: Range, value: object) -> str:
    if item.scaling == "ReverseLogarithmic" and isinstance(value, float):
        return str(min(max(1 - value, item.low), item.high))
    return str(value)


def _value(item: Range, text: str) -> str | int | float:
    if item.kind == "Categorical":
        return text
    if item.kind == "Integer":
        return int(text)
    value = float(text)
    return min(max(1 - value, 1 - item.high), 1 - item.low) if item.scaling == "ReverseLogarithmic" else value
