#!/bin/sh
# Waits up to 60 s for an address that is not the node's own. A node without network goes on: its services may need none.
tries=0
until [ -n "$(ip -o address show scope global)" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 300 ]; then
    echo 'zero-os: no address after 60 s, going on without network' >/dev/console
    exit 0
  fi
  sleep 0.2
done
