"""Decides which of two records of one image is current: the one of the later upload, then of the higher generation.

Standard library only: the inference function packs this file.
"""

from image_classifier.contracts.predictions import Prediction, instant


def supersedes(new: Prediction, stored: Prediction) -> bool:
    """Return whether ``new`` replaces the record ``stored``.

    S3 delivers events at least once and in any order, an image may be classified again by a replay, and all images
    may be classified again with another model. The order of the uploads decides first. Of the same upload

    - an answer (predicted, unsure, rejected) replaces a failed record, and never the reverse,
    - the higher generation wins: 0 for events and replays, the start of the run for images classified again,
    - otherwise the stored record stays.
    """
    order = _compare_uploads(new, stored)
    if order:
        return order > 0
    if (new.status == "failed") != (stored.status == "failed"):
        return stored.status == "failed"
    return new.generation > stored.generation


def is_same_upload(one: Prediction, other: Prediction) -> bool:
    """Return whether two records of one key are about the same upload."""
    return _compare_uploads(one, other) == 0


def _compare_uploads(one: Prediction, other: Prediction) -> int:
    """Compare two uploads: the result is below 0 if that of ``one`` came first, 0 if they are the same, else above 0.

    Equal version ids are the same upload. A replay has no sequencer, only the upload's time in whole seconds, as S3
    lists it. It names the version that was current minutes later: of two uploads within a second it is the later.
    """
    if one.image.version_id and one.image.version_id == other.image.version_id:
        return 0
    if one.image.sequencer and other.image.sequencer:
        return _compare_sequencers(one.image.sequencer, other.image.sequencer)
    first, second = instant(one.times.uploaded), instant(other.times.uploaded)
    if _have_other_versions(one, other) and first.replace(microsecond=0) == second.replace(microsecond=0):
        return bool(other.image.sequencer) - bool(one.image.sequencer)
    return (first > second) - (first < second)


def _have_other_versions(one: Prediction, other: Prediction) -> bool:
    return bool(one.image.version_id and other.image.version_id)  # equal ones were the same upload


def _compare_sequencers(one: str, other: str) -> int:
    """Compare two sequencers of one key.

    AWS (re:Post knowledge center, "s3-duplicate-sqs-messages"; editions of the S3 User Guide, "Event message
    structure"): right-pad the shorter value with zeros, then compare lexicographically. Other editions of the guide
    say left-pad. Right-padding is used, because the value begins with the upload's second in a fixed number of digits,
    which padding on the left would shift. Values of equal length, the usual case, compare the same either way.
    """
    length = max(len(one), len(other))
    first, second = one.upper().ljust(length, "0"), other.upper().ljust(length, "0")
    return (first > second) - (first < second)
