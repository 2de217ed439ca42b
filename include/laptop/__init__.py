"""What `make demo`, `make up` and `make down` run: it installs, starts, watches and stops; it decides nothing."""
