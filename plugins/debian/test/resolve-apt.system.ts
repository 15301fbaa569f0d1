// Asks apt itself about each set: about a second each, more on a busy machine.
// time limit: 600 s

import { survives } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { aptInstalls, aptUniverse } from './apt-judge.js'
import { hasTool, inFolder, skip } from './host.js'
import { resolve } from './packages.js'

const sets = `
busybox-static kmod btrfs-progs dosfstools iproute2 openssh-server
openssh-server usr-is-merged
openssh-server usrmerge
usr-is-merged systemd-sysv udev dbus
sysvinit-core openssh-server
systemd network-manager
init
linux-image-cloud-amd64
linux-image-amd64 systemd-boot systemd-boot-efi
grub-efi-amd64 shim-signed
lvm2 mdadm cryptsetup-initramfs
dracut
initramfs-tools zstd
debootstrap mmdebstrap
build-essential
devscripts debhelper
postfix
exim4
postfix exim4
mailutils
bsd-mailx sendmail-bin
nginx
apache2 php
apache2 libapache2-mod-php php-mysql
mariadb-server
postgresql
docker.io
podman buildah
qemu-system-x86 ovmf
libvirt-daemon-system
bind9 isc-dhcp-server
samba winbind
cups
wpasupplicant iwd bluez
chrony
ntpsec chrony
python3-pip python3-venv
python3-numpy python3-matplotlib
default-jdk
ruby-rails
nodejs
golang
rustc cargo
librust-gtk-dev
librust-git2+openssl-probe-dev python3-lttnganalyses
r-base-core
texlive-latex-base
libreoffice-writer
xorg
task-gnome-desktop
task-kde-desktop
xfce4 lightdm
firefox-esr
chromium
vim emacs-nox
default-mta
mail-transport-agent
dbus-x11 gnome-keyring
systemd-sysv sysvinit-core
awk
perl libperl-dev
ca-certificates curl gnupg
rsyslog logrotate cron
`
  .trim()
  .split('\n')
  .map((line) => line.trim().split(' '))

const universe = hasTool('apt-get') ? aptUniverse('amd64') : undefined
if (!universe) skip('apt as judge of resolution', 'apt has no lists for amd64; run apt-get update')
else {
  const backports = ['upx-ucl', 'mkosi', 'systemd-sysv'].filter((name) =>
    universe.versionIn(name, 'bookworm-backports'),
  )
  if (backports.length === 0) skip('apt as judge of name/suite', "bookworm-backports is not among apt's suites")
  const all = [...sets, ...backports.map((name) => [`${name}/bookworm-backports`])]
  test(`apt installs the same for ${all.length} sets`, () => {
    inFolder((folder) => {
      let failed = 0
      const differing: string[] = []
      for (const names of all) {
        const expected = aptInstalls(names, folder)
        // On an empty system apt follows name/suite only as far as all else is installed, and gives up early.
        if (!expected && names.some((name) => name.includes('/'))) continue
        const found = survives(() => resolve(universe, names))
        if (!expected) failed++
        const [only, missing] = [minus(found, expected), minus(expected, found)]
        if (!expected !== !found || only.length + missing.length > 0)
          differing.push(
            `${names.join(' ')}: ${found ? `only here: ${only.join(' ')}` : 'an error here'}; ${expected ? `only apt: ${missing.join(' ')}` : 'an error of apt'}`,
          )
      }
      assert.equal(differing, [])
      // Sets without a solution belong to the test, but it must not be that apt solves none.
      assert.ok(all.length - failed >= 50, `apt solved only ${all.length - failed} sets`)
    })
  })
}

const minus = (a: readonly string[] | undefined, b: readonly string[] | undefined): string[] =>
  a && b ? a.filter((item) => !b.includes(item)) : []

test.run()
