#!/bin/sh
# A line on the console for each thing that holds; the test knows which have to.
say() { echo "flist-node: $*" >/dev/console; }
loaded() { grep -q "^$1 " /proc/modules && say "$1 is loaded"; }
sums() { (cd /lib/firmware && sha256sum "$@" 2>&1) | while read -r line; do say "$line"; done; }

say "mounts: $(grep -c ' fuse' /proc/mounts) of flists, $(grep -c '^rfs-[a-z]* .* overlay ' /proc/mounts) overlays"
loaded overlay
loaded vfat
grep -q '^msdos ' /proc/modules || say 'msdos is not loaded yet'
modprobe msdos 2>&1 | while read -r line; do say "$line"; done
loaded msdos
sums acme/image.bin acme/flist.bin

# Cards whose driver is behind the flist: nobody here names it. Set up, a card has the kernel ask for its firmware.
echo 'file drivers/base/firmware_loader/main.c +p' >/proc/dynamic_debug/control
for card in /sys/class/net/*; do
  case $(readlink "$card/device/driver") in
    */e100) ip link set "${card##*/}" up && say "a card of e100, revision $(cat "$card/device/revision"), is up" ;;
  esac
done
dmesg | sed -n 's/.*\(e100 .*: Loading firmware from .*\)/\1/p' | while read -r line; do say "$line"; done

# Flists that did not come with the image: one that is what was signed, one that is not.
again() {
  FIRMWARE_FLIST=$1 /bin/sh /etc/zinit/init/rfs-mount.sh firmware
  say "a flist from elsewhere ended with $?"
}
umount /usr/lib/firmware
umount /run/rfs/firmware/flist
server=$(cat /etc/flist-node/server)
again "$server/changed/firmware-test.fl"
sums acme/flist.bin
again "$server/firmware-test.fl"
sums acme/flist.bin
say done
