// time limit: 240 s
// What mounts flists on a node, run for real in a mount namespace of its own, with a stand-in for the rfs program: it
// takes the same command line and gives a tmpfs.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mountConf, mountScript } from '../dist/scripts.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-mount-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

/** A root file system over the host's programs, writable, gone with the namespace. */
const world = `
set -e
mount -t tmpfs root "$1/root"
cd "$1/root"
mkdir -p usr up work proc dev tmp run etc/rfs root
mount -t overlay usr -o "lowerdir=/usr,upperdir=$PWD/up,workdir=$PWD/work" usr
for name in bin sbin lib lib64; do ln -s "usr/$name" "$name"; done
mount -t proc proc proc
mount --rbind /dev dev
cp "$1/mount.conf" etc/rfs/
cp "$1/rfs-mount.sh" usr/bin/
cp "$1/stand-in.sh" usr/bin/rfs
modules=usr/lib/modules/$(uname -r)
mkdir -p "$modules/kernel"
echo image >"$modules/kernel/a.ko"
set +e
: >"etc/rfs/modules-$(uname -r).fl"
run() { chroot . /bin/sh /usr/bin/rfs-mount.sh modules 2>&1; echo "ended with $?"; }
`

const standIn = `#!/bin/sh
echo "$*" | sed "s/$(uname -r)/RELEASE/g" >>/called
shift
while getopts m:c:l:d option; do :; done
shift $((OPTIND - 1))
[ ! -e /fails ] || exit 1
readlink -f "$(command -v fusermount)" >/fusermount
mount -t tmpfs rfs "$1"
mkdir -p "$1/kernel"
echo flist >"$1/kernel/b.ko"
printf 'kernel/a.ko:\\nkernel/b.ko:\\n' >"$1/modules.dep"
echo x >"$1/modules.dep.bin"
[ ! -e /stale ] || echo 'kernel/b.ko:' >"$1/modules.dep"
mount -o remount,ro "$1"
`

const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'x', '/tmp']).status === 0

const inWorld = (mount: 'overlay' | 'replace', script: string): string => {
  spawnSync('mkdir', ['-p', join(folder, 'root')])
  writeFileSync(join(folder, 'mount.conf'), mountConf({ program: '/usr/bin/rfs', mount, limit: 2 }))
  writeFileSync(join(folder, 'rfs-mount.sh'), mountScript)
  writeFileSync(join(folder, 'stand-in.sh'), standIn, { mode: 0o755 })
  const ended = spawnSync('unshare', ['-m', 'sh', '-c', world + script, 'sh', folder], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.is(ended.status, 0, ended.stdout + ended.stderr)
  return ended.stdout
}

test('an overlay shows both, once, and indexes that fit are left alone', () => {
  const said = inWorld(
    'overlay',
    `run
cat "$modules"/kernel/*.ko
echo again
run
cat called`,
  )
  assert.match(said, /modules\/\S+ shows \/etc\/rfs\/modules-\S+\.fl\nended with 0\nimage\nflist\n/)
  assert.match(said, /again\nzos: rfs-modules: \S+ is mounted already\nended with 0\n/)
  assert.not.match(said, 'depmod')
  assert.match(
    said,
    /\nmount -m \/etc\/rfs\/modules-RELEASE\.fl -c \/run\/rfs\/cache -l \/run\/rfs\/log-modules -d \/run\/rfs\/modules\/flist\n$/,
  )
})

test('a mount in its place hides what the image has', () => {
  assert.match(inWorld('replace', 'run; cat "$modules"/kernel/*.ko'), /ended with 0\nflist\n$/)
})

test('depmod runs where the indexes leave out a module of the image', () => {
  const said = inWorld(
    'overlay',
    // The host's depmod is a link with an absolute target: it goes first, else the host's own program would be written.
    `: >stale
rm -f usr/bin/depmod usr/sbin/depmod
printf '#!/bin/sh\\necho "depmod $1"; [ "$1" = -A ] || exit 0\\n' >usr/bin/depmod
printf '#!/bin/sh\\necho "depmod $1"; exit 0\\n' >usr/sbin/depmod
chmod +x usr/bin/depmod usr/sbin/depmod
run`,
  )
  assert.match(said, /modules\.dep does not match the modules: depmod\ndepmod -A\ndepmod -a\n.*shows/s)
})

test('rfs finds fusermount where the image has fusermount3 alone', () => {
  const said = inWorld(
    'overlay',
    `rm -f usr/bin/fusermount usr/bin/fusermount3
cp etc/rfs/mount.conf usr/bin/fusermount3; chmod +x usr/bin/fusermount3
run; cat fusermount`,
  )
  assert.match(said, /ended with 0\n\/usr\/bin\/fusermount3\n$/)
})

test('what fails is said, and the unit fails', () => {
  const said = inWorld(
    'overlay',
    `: >fails; run; rm fails
mv etc/rfs/modules-*.fl root/; run
MODULES_FLIST=/root/other.fl run
mv root/modules-*.fl etc/rfs/; RFS_BIN=/nothing run`,
  )
  assert.is(said.match(/ended with 1/g)?.length, 4, said)
  assert.match(said, /\/usr\/bin\/rfs cannot mount .*allow_other.*\/etc\/fuse\.conf.*its log is/)
  assert.match(said, /there is no flist/)
  assert.match(said, /\/root\/other\.fl did not come with the image/)
  assert.match(said, /there is no program \/nothing/)
})

if (canMount) test.run()
else console.log('skip the mount script: this user may not make a mount namespace')
