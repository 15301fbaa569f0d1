#!/bin/sh
# What the SSH server needs on this machine: who may log in, and a host key.
umask 077

# The virtual machine's owner may offer public keys by QEMU's fw_cfg, as `zos run` does; the image has none of them.
# Those that are already there stay, once each, since a root file system may be kept and this may run again.
offered=/sys/firmware/qemu_fw_cfg/by_name/opt/zos/authorized_keys/raw
allowed=/root/.ssh/authorized_keys
if [ -e "$offered" ]; then
  /bin/busybox mkdir -p /root/.ssh
  while read -r key || [ -n "$key" ]; do
    [ -z "$key" ] || /bin/busybox grep -qxF -e "$key" "$allowed" 2>/dev/null || echo "$key" >>"$allowed"
  done <"$offered"
fi

# A host key that is already there stays too, so that the machine keeps its identity.
host_key=/etc/dropbear/host_key
if [ ! -s "$host_key" ]; then
  /bin/busybox mkdir -p /etc/dropbear
  dropbearkey -t ed25519 -f "$host_key"
fi
