"""Keeps the contract of SageMaker's built-in image classification algorithm in an open program: train and serve."""
