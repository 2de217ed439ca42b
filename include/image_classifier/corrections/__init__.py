"""Stores people's corrections of predictions, which the pages show and the next data set uses."""
