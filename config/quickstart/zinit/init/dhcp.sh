#!/bin/sh
# Waits up to 10 s for the first network card and hands it to udhcpc, which stays and keeps the lease.
# A card has a device behind it; lo, bridges and tunnels have none.
tries=0
while :; do
  for path in /sys/class/net/*; do
    [ -e "$path/device" ] && break 2
  done
  tries=$((tries + 1))
  [ "$tries" -gt 100 ] && { echo 'no network card after 10 s' >&2; exit 1; }
  /bin/busybox sleep 0.1
done
card=${path##*/}
/bin/busybox ip link set lo up
/bin/busybox ip link set "$card" up
exec /bin/busybox udhcpc -f -i "$card" -s /etc/zinit/init/udhcpc.sh -t 20 -T 1 -A 1
