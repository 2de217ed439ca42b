#!/bin/sh
# The first start makes the database that POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD_FILE name, as the official image does.
set -eu
if ! test -s "$PGDATA/PG_VERSION"; then
  chmod 700 "$PGDATA"
  initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" --auth-host=scram-sha-256 --auth-local=trust
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl --wait --options="-c listen_addresses=''" start
  createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl --wait stop
fi
exec "$@" -c listen_addresses='*'
