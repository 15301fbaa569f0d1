#!/bin/sh
# One line for people and for tests that wait for it; seconds since the kernel started.
read -r up _ </proc/uptime
read -r pid1 </proc/1/comm
address=$(ip -o -4 address show scope global | awk '{ print $2, $4; exit }')
echo "zero-os: ready after ${up%?} s, $pid1 is PID 1, ${address:-no address}" >/dev/console
