#!/bin/sh
# Puts files into the root file system ($1, or in place) before zinit starts. Debug images have this script, and only they.
# zos.debug=1 on the kernel command line copies /etc/zos/debug/ over the root, and waits for a volume; a vfat volume with
# the label ZOSDEBUG is taken without it. Of the volume: root/ is copied over the root, authorized_keys may log in as root.
target=${1:-/}
volume=/dev/disk/by-label/ZOSDEBUG
mounted=/run/zos-debug

case " $(cat /proc/cmdline) " in
  *' zos.debug=1 '*)
    [ -d /etc/zos/debug ] && cp -a /etc/zos/debug/. "$target/" && echo 'zero-os: debug files of the image are in place'
    tries=0
    until [ -e "$volume" ] || [ "$tries" -ge 50 ]; do
      tries=$((tries + 1))
      sleep 0.1
    done
    ;;
esac
[ -e "$volume" ] || exit 0

mkdir -p "$mounted"
mount -t vfat -o ro "$volume" "$mounted" || exit 1
if [ -d "$mounted/root" ]; then
  # vfat knows neither owners nor modes: what is a script there stays one here.
  cp -r "$mounted/root/." "$target/" && echo "zero-os: files of $volume are in place"
fi
if [ -s "$mounted/authorized_keys" ]; then
  mkdir -p -m 0700 "$target/root/.ssh"
  cat "$mounted/authorized_keys" >>"$target/root/.ssh/authorized_keys"
  chmod 0600 "$target/root/.ssh/authorized_keys"
  echo "zero-os: keys of $volume may log in"
fi
umount "$mounted"
