// What the node runs: plain POSIX shell with busybox's tools. They are written here so that a plugin update brings them.

/** Folder of flists in the image, and of what the mounts are told. */
export const flistFolder = '/etc/rfs'
export const confPath = `${flistFolder}/mount.conf`
export const mountScriptPath = '/etc/zinit/init/rfs-mount.sh'
export const coldplugScriptPath = '/etc/zinit/init/coldplug.sh'

export interface MountConf {
  readonly program: string
  readonly mount: 'overlay' | 'replace'
  /** Seconds. */
  readonly limit: number
}

/** Defaults of the mounts; a variable of the unit comes before each of them. */
export const mountConf = ({
  program,
  mount,
  limit,
}: MountConf): string => `# Read by ${mountScriptPath}. A variable of the unit's environment comes before a line here.
# FIRMWARE_FLIST and MODULES_FLIST: another flist, by path or by http(s) URL; it needs a signed manifest beside it.
: "\${RFS_BIN:=${program}}"
# overlay: above what the image has at the same place; replace: instead of it.
: "\${RFS_MOUNT:=${mount}}"
# Fetched blocks and the log. The default lies in memory: name a disk where there is one.
: "\${RFS_CACHE:=/run/rfs/cache}"
: "\${RFS_LOG:=/run/rfs/log}"
# Seconds for the network, and then for the mount.
: "\${RFS_LIMIT:=${limit}}"
`

export const mountScript = `#!/bin/sh
# rfs-mount.sh modules|firmware: shows a flist where the kernel looks. What fails is said on the console and in the unit's
# log, with exit code 1; the unit goes on from there, so the node starts all the same.
set -u
name=\${1:?usage: rfs-mount.sh modules|firmware}
. ${confPath}
release=$(uname -r)

say() {
  echo "zos: rfs-$name: $*"
  echo "zos: rfs-$name: $*" >/dev/console 2>/dev/null || true
}
fail() {
  say "$*"
  exit 1
}
# Runs a test every half second until it holds or the limit is over.
await() {
  left=$((RFS_LIMIT * 2))
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 0.5
  done
}

case $name in
  modules)
    target=/lib/modules/$release
    flist=\${MODULES_FLIST:-${flistFolder}/modules-$release.fl}
    ;;
  firmware)
    target=/usr/lib/firmware
    flist=\${FIRMWARE_FLIST:-${flistFolder}/firmware-latest.fl}
    ;;
  *) fail 'expected modules or firmware' ;;
esac
mkdir -p "$target" || fail "$target cannot be made"
target=$(readlink -f "$target")

is_mounted() { grep -q " $1 " /proc/mounts; }
if is_mounted "$target"; then
  say "$target is mounted already"
  exit 0
fi

has_network() {
  [ "$(wc -l </proc/net/route)" -gt 1 ] && return 0
  grep -qv ' lo$' /proc/net/ipv6_route 2>/dev/null
}
await has_network || fail "no network after $RFS_LIMIT s; $flist is not mounted"

work=/run/rfs/$name
mkdir -p "$work/flist" "$work/upper" "$work/work" "$RFS_CACHE" "$(dirname "$RFS_LOG")" || fail "$work cannot be made"

# A flist that did not come with the image counts only with a signed manifest.
fetched=
case $flist in
  http://* | https://*)
    fetched=$work/\${flist##*/}
    fetch() { wget -q -O "$2" "$1" || curl -fsS -o "$2" "$1"; }
    { fetch "$flist" "$fetched" && fetch "$flist.manifest" "$fetched.manifest"; } || fail "$flist cannot be fetched"
    ;;
  ${flistFolder}/*) ;;
  *) fetched=$flist ;;
esac
if [ -n "$fetched" ]; then
  [ -x /usr/lib/zos/verify-manifest ] || fail "$flist did not come with the image, which has no key to check it by"
  /usr/lib/zos/verify-manifest "$fetched" || fail "$flist is not what was signed"
  flist=$fetched
fi
[ -r "$flist" ] || fail "there is no flist $flist"
[ -x "$RFS_BIN" ] || fail "there is no program $RFS_BIN"
# rfs starts fusermount; Alpine's fuse3 has it as fusermount3 alone.
if ! command -v fusermount >/dev/null && found=$(command -v fusermount3); then
  mkdir -p "$work/bin" && ln -sf "$found" "$work/bin/fusermount"
  PATH=$work/bin:$PATH
fi

# Modules of the image, before a mount lies above them.
[ "$name" = modules ] && (cd "$target" && find . -name '*.ko' -o -name '*.ko.*') | sed 's|^\\./||' >"$work/image"

modprobe -q fuse 2>/dev/null
[ -e /dev/fuse ] || say 'the kernel has no /dev/fuse'
place=$target
[ "$RFS_MOUNT" = overlay ] && place=$work/flist
hint='for "allow_other": run as root, or put user_allow_other into /etc/fuse.conf'
"$RFS_BIN" mount -m "$flist" -c "$RFS_CACHE" -l "$RFS_LOG-$name" -d "$place" ||
  fail "$RFS_BIN cannot mount $flist ($hint); its log is $RFS_LOG-$name"
await is_mounted "$place" || fail "$place is not mounted after $RFS_LIMIT s; the log of rfs is $RFS_LOG-$name"

if [ "$RFS_MOUNT" = overlay ]; then
  modprobe -q overlay 2>/dev/null
  layers=lowerdir=$place:$target,upperdir=$work/upper,workdir=$work/work
  mount -t overlay "rfs-$name" -o "$layers" "$target" || fail "the overlay above $target cannot be mounted"
fi

# The flist brings indexes of its own modules and of those that its build left to the image. Only a module that the image
# has besides them asks for depmod, which reads them all: some milliseconds to find each, and its blocks to fetch.
matches() {
  [ -s "$target/modules.dep" ] && [ -s "$target/modules.dep.bin" ] || return 1
  [ "$RFS_MOUNT" = overlay ] || return 0
  cut -d: -f1 "$target/modules.dep" >"$work/listed"
  ! grep -qvxFf "$work/listed" "$work/image"
}
if [ "$name" = modules ] && ! matches; then
  say 'modules.dep does not match the modules: depmod'
  # -A looks at times alone, which a flist does not change.
  { depmod -A "$release" && matches; } || depmod -a "$release" || fail 'depmod failed; what it wrote is not to be relied on'
fi
say "$target shows $flist"
`

export const coldplugScript = `#!/bin/sh
# Loads what hardware asks for and only now is there: drivers and firmware that a mount brought. With udev by its events,
# without it by the names that the kernel gives to devices.
if command -v udevadm >/dev/null && udevadm control --ping 2>/dev/null; then
  udevadm trigger --type=subsystems --action=add
  udevadm trigger --type=devices --action=add
  udevadm settle --timeout=30 || echo 'zos: coldplug: udev is not done after 30 s' >/dev/console
  exit 0
fi
# Devices without a driver; each name once. A name that no module has is no failure.
for path in $(find /sys/devices -name modalias); do
  [ -e "\${path%/modalias}/driver" ] || cat "$path"
done | sort -u | xargs -r modprobe -abq || true
`
