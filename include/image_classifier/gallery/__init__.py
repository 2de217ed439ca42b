"""Reads what the pages show of a classifier: predictions, models, data set versions and figures."""
