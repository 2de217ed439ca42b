"""Chooses which of a run's trained models is evaluated on the test images: the best on the validation images."""
