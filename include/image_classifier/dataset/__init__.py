"""Labelled images, from a folder or an S3 prefix, to a data set that the algorithm trains on: `prepare.py` tells it."""

from image_classifier.dataset.prepare import PreparedDataset, plan_dataset, prepare_dataset
from image_classifier.dataset.publish import delete_stray_images

__all__ = ["PreparedDataset", "delete_stray_images", "plan_dataset", "prepare_dataset"]
