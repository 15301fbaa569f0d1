#!/bin/sh
# One dhcpcd for all cards; it takes up those that appear later.
ip link set lo up
exec dhcpcd --nobackground --nohook hostname
