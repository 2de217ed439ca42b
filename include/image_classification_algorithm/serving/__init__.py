"""Implements `serve`, an endpoint's container that answers with the class probabilities of one image."""
