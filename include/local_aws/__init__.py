"""Emulates AWS on a laptop: MiniStack, and a SageMaker server that runs real processes."""
