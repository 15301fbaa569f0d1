// What an image needs of the scripts that apk would run. No script is run: their effects are declared here, once a
// package. Users and groups that plain addgroup and adduser lines add are read from the scripts and need no rule.
import type { Accounts } from './accounts.js'

export interface Rule {
  readonly accounts?: Accounts
  /** Links by path; one that is there already stays. */
  readonly links?: Readonly<Record<string, string>>
  readonly folders?: Readonly<
    Record<string, { readonly mode: number; readonly user?: string; readonly group?: string }>
  >
  /** Owners of files that packages bring, by name. */
  readonly owners?: Readonly<Record<string, { readonly user: string; readonly group: string }>>
  /** Lines for a file that are added where they are missing. */
  readonly lines?: Readonly<Record<string, readonly string[]>>
  /** Lists of programs inside a binary, which get links where nothing else brings them; paths in the list have no `/` in front. */
  readonly applets?: { readonly lists: string; readonly binary: string }
  /** Certificates that become one bundle, and links to them by name. */
  readonly certificates?: { readonly list: string; readonly from: string; readonly to: string; readonly bundle: string }
  /** What else the scripts do, and why an image does without it. */
  readonly without?: string
}

const services = 'they change services of another init'
const caches = 'they rebuild caches of desktops'
const moduleIndexes = 'module indexes are made when the image is built'

const systemUser = (name: string, home: string, shell = '/sbin/nologin'): Rule => ({
  accounts: { users: [{ name, group: name, home, shell }], groups: [{ name }] },
})

const shell = (path: string): Rule => ({ lines: { '/etc/shells': [path] } })

export const rules: Readonly<Record<string, Rule>> = {
  'alpine-baselayout': {
    accounts: { users: [], groups: [{ name: 'shadow', gid: 42 }] },
    owners: { '/etc/shadow': { user: 'root', group: 'shadow' } },
  },
  bash: shell('/bin/bash'),
  busybox: {
    ...systemUser('klogd', '/dev/null'),
    applets: { lists: '/etc/busybox-paths.d/busybox', binary: '/bin/busybox' },
    without: moduleIndexes,
  },
  'busybox-extras': { applets: { lists: '/etc/busybox-paths.d/busybox-extras', binary: '/bin/busybox-extras' } },
  'busybox-suid': {
    links: Object.fromEntries(
      [
        '/bin/mount',
        '/bin/su',
        '/bin/umount',
        '/usr/bin/crontab',
        '/usr/bin/passwd',
        '/usr/bin/traceroute',
        '/usr/bin/traceroute6',
        '/usr/bin/vlock',
      ].map((path) => [path, '/bin/bbsuid']),
    ),
  },
  'ca-certificates': {
    certificates: {
      list: '/etc/ca-certificates.conf',
      from: '/usr/share/ca-certificates',
      to: '/etc/ssl/certs',
      bundle: '/etc/ssl/certs/ca-certificates.crt',
    },
    without: 'links by hash are left out: what looks certificates up finds them in the bundle',
  },
  chrony: systemUser('chrony', '/var/lib/chrony'),
  'cloud-init': { without: services },
  'conntrack-tools': { without: services },
  cronie: { without: services },
  dash: shell('/bin/dash'),
  dbus: { ...systemUser('messagebus', '/dev/null'), without: 'the machine id is made on the machine' },
  dhcpcd: systemUser('dhcpcd', '/var/lib/dhcpcd'),
  eudev: { without: services },
  'eudev-hwids': { without: 'its database of hardware names is optional' },
  fontconfig: { without: caches },
  'gdk-pixbuf': { without: caches },
  glib: { without: caches },
  grub: { without: 'the image has no boot loader inside' },
  'hwdata-usb': { without: caches },
  kmod: { without: moduleIndexes },
  'linux-lts': { without: moduleIndexes },
  'linux-virt': { without: moduleIndexes },
  logrotate: { without: services },
  'mdev-conf': { without: services },
  mkinitfs: { without: 'the image is its own initramfs' },
  openrc: { without: services },
  'openssh-server': { without: 'host keys are made on the machine: an image has none' },
  'openssh-server-common': { without: 'host keys are made on the machine: an image has none' },
  'p11-kit': { without: 'certificates are found in the bundle' },
  redis: systemUser('redis', '/var/lib/redis'),
  'shared-mime-info': { without: caches },
  syslinux: { without: 'the image has no boot loader inside' },
  tzdata: { without: 'the zone of an image is a link that its config makes' },
  'udev-init-scripts': { without: services },
  'util-linux': { without: services },
  valkey: systemUser('valkey', '/var/lib/valkey'),
  zsh: shell('/bin/zsh'),
}
