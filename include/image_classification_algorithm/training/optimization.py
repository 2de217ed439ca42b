"""Makes the optimizer, the learning rate and the loss that the hyperparameters name."""

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer, RMSprop

from image_classification_algorithm.errors import ClientError
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters


def optimizer_for(net: nn.Module, hyperparameters: JobHyperparameters) -> Optimizer:
    """Return the named optimizer. weight_decay has an effect with sgd and nag only, as documented.

    Raises:
        ClientError: a beta of adam is 1, so that adam would divide by zero.

    """
    given = hyperparameters
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    if given.optimizer == "adam":
        if 1 in (given.beta_1, given.beta_2):
            raise ClientError(f"adam needs beta_1 and beta_2 below 1: they are {given.beta_1} and {given.beta_2}.")
        return Adam(trained, given.learning_rate, betas=(given.beta_1, given.beta_2), eps=given.eps)
    if given.optimizer == "rmsprop":
        return RMSprop(trained, given.learning_rate, alpha=given.gamma, eps=given.eps)
    nesterov = given.optimizer == "nag" and given.momentum > 0
    groups = [
        # As in MXNet, weight decay applies to matrices and kernels, not to biases; here not to normalisations either.
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": given.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return SGD(groups, given.learning_rate, momentum=given.momentum, nesterov=nesterov)


def settings(hyperparameters: JobHyperparameters) -> str:
    """Return the optimizer's settings in words, for a message."""
    of_kind = {"adam": ("beta_1", "beta_2", "eps"), "rmsprop": ("gamma", "eps")}
    names = ("learning_rate", *of_kind.get(hyperparameters.optimizer, ("momentum",)))
    given = ", ".join(f"{name} {getattr(hyperparameters, name)}" for name in names)
    return f"optimizer {hyperparameters.optimizer} with {given}"


def learning_rate(epoch: int, hyperparameters: JobHyperparameters) -> float:
    """Return the rate of this epoch (from 0): it is multiplied by lr_scheduler_factor at each step in the past."""
    reached = sum(step <= epoch for step in hyperparameters.lr_steps)
    return hyperparameters.learning_rate * hyperparameters.lr_scheduler_factor**reached


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def loss_for(hyperparameters: JobHyperparameters, *, labels: Tensor, device: torch.device) -> nn.Module:
    """Return the cross entropy; for multi-label one per class, in which rare classes may have more weight."""
    if not hyperparameters.multi_label:
        return nn.CrossEntropyLoss()
    if not hyperparameters.use_weighted_loss:
        return nn.BCEWithLogitsLoss()
    positive = labels.sum(0)
    weight = ((len(labels) - positive) / positive.clamp(min=1)).clamp(0.1, 100)
    return nn.BCEWithLogitsLoss(pos_weight=weight.to(device))
