"""How SageMaker speaks: checks of a request, errors in its words, pages and tags."""
