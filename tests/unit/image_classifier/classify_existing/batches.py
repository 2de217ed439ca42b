"""Makes a batch as a run of `image_classifier_classify_existing` plans it."""

from datetime import datetime

from image_classifier.classify_existing.batch import Batch


def planned(started: datetime, **changes) -> Batch:
    """The batch of a run of the classifier pets that began then."""
    values = {
        "classifier": "pets",
        "bucket": "pictures",
        "started_ms": round(started.timestamp() * 1000),
        "shares": 1,
        "training_job": "job-1",
        "model": "model-1",
        "endpoint": "image-classifier-pets",
        "endpoint_config": "config-1",
        "unsure_below": None,
        "calibrate": False,
    }
    return Batch(**{**values, **changes})
