#!/bin/sh
# Tells udevd of all devices there are, and waits until it is done with them.
tries=0
until udevadm control --ping --timeout=1 2>/dev/null; do
  tries=$((tries + 1))
  [ "$tries" -gt 100 ] && { echo 'udevd does not answer' >&2; exit 1; }
  sleep 0.1
done
udevadm trigger --type=subsystems --action=add
udevadm trigger --type=devices --action=add
udevadm settle --timeout=30 || echo 'udev is still busy after 30 s' >&2
exit 0
