"""`serve`: an endpoint's container, which answers with the probabilities of one image."""
