#!/bin/sh
# Loads the modules of a stage, which the image lists by name in /etc/zos/modules/STAGE. A driver that finds no hardware
# is no failure of the node: modprobe names it in the log, and goes on with the next.
# The full path, since some busybox would take its own modprobe, which knows no compressed modules.
list=/etc/zos/modules/$1
[ -s "$list" ] || exit 0
/bin/busybox xargs -r /sbin/modprobe -a <"$list" || true
