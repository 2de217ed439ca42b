"""Implements `make demo`, `make up` and `make down`: installs, starts, watches and stops the local services."""
