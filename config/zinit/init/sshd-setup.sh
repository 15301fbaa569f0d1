#!/bin/sh
# What sshd needs on this node: host keys, and the keys that a virtual machine's owner offers.
umask 077

# QEMU's fw_cfg, as `zos run` uses it. Keys that are there already stay, once each, since this may run again.
offered=/sys/firmware/qemu_fw_cfg/by_name/opt/zos/authorized_keys/raw
allowed=/root/.ssh/authorized_keys
if [ -e "$offered" ]; then
  mkdir -p /root/.ssh
  while read -r key || [ -n "$key" ]; do
    [ -z "$key" ] || grep -qxF -e "$key" "$allowed" 2>/dev/null || echo "$key" >>"$allowed"
  done <"$offered"
fi

# Where sshd puts its unprivileged part.
mkdir -p -m 0755 /var/empty /run/sshd
# Makes those that are missing, so that a node keeps its identity.
ssh-keygen -A
