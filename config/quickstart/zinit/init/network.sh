#!/bin/sh
# Ends once udhcpc has a lease, and fails after 60 s without one.
tries=0
until [ -e /run/network.lease ]; do
  tries=$((tries + 1))
  [ "$tries" -gt 600 ] && { echo 'no lease after 60 s' >&2; exit 1; }
  /bin/busybox sleep 0.1
done
