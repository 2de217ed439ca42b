"""Defines the model of a classifier, and reads classifier files."""

from image_classifier.classifier.files import classifier_files, classifier_folders
from image_classifier.classifier.model import Classifier
from image_classifier.classifier.parts import Endpoint, Notify, Rollout, Training

__all__ = ["Classifier", "Endpoint", "Notify", "Rollout", "Training", "classifier_files", "classifier_folders"]
