"""Measures a model on images that neither trained it nor chose its epoch, before it may serve."""
