"""Finds that an upload has no prediction, that something was changed, or that something costs money without a use."""
