"""Implements `train`, which makes a model artifact from the channels and hyperparameters of a training job."""
