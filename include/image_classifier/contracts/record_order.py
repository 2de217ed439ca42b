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
    lists it. It names the version that was current minutes later: of two uploads within a second it is the later. In a
    bucket without versions the ETag says whether it is the same upload (see `_is_listed`).
    """
    version, other_version = _version(one), _version(other)
    if version and version == other_version:
        return 0
    if one.image.sequencer and other.image.sequencer:
        return _compare_sequencers(one.image.sequencer, other.image.sequencer)
    has_no_version = not version and not other_version
    if has_no_version and (_is_listed(one, event=other) or _is_listed(other, event=one)):
        return 0
    first, second = instant(one.times.uploaded), instant(other.times.uploaded)
    differs = (version and other_version) or (has_no_version and one.image.etag and other.image.etag)
    if differs and first.replace(microsecond=0) == second.replace(microsecond=0):
        return bool(other.image.sequencer) - bool(one.image.sequencer)
    return (first > second) - (first < second)


def _is_listed(listed: Prediction, *, event: Prediction) -> bool:
    """Return whether two records without version ids, one of a replay, are about the same upload: by ETag and time.

    S3 lists an upload in parts with the time when it began; the event has the time when it ended. Of the same bytes
    that were uploaded again, the listed time is after the event.
    """
    if listed.image.sequencer or not listed.image.etag or listed.image.etag != event.image.etag:
        return False
    began, ended = (instant(record.times.uploaded).replace(microsecond=0) for record in (listed, event))
    return began <= ended if event.image.sequencer else began == ended


def _version(record: Prediction) -> str | None:
    """Return the id of the image's version; an object that was stored without versions has the id "null"."""
    return None if record.image.version_id == "null" else record.image.version_id


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
