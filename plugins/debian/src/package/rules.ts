// What an image needs of the scripts that dpkg would run. No script is run: their effects are declared here, once a
// package, and a package whose scripts may matter and that has no rule is named by the build.
import type { Account, Group } from './accounts.js'

export interface Rule {
  /** Files made of files that packages bring, by the new path; one that is there already stays. */
  readonly copies?: Readonly<Record<string, string>>
  /** Files by path, 0644 root:root; one that is there already stays. */
  readonly texts?: Readonly<Record<string, string>>
  readonly links?: Readonly<Record<string, string>>
  readonly folders?: Readonly<Record<string, { readonly mode: number; readonly uid?: number; readonly gid?: number }>>
  /** Attributes of files that the package brings (dpkg-statoverride). */
  readonly attributes?: Readonly<
    Record<string, { readonly mode: number; readonly uid?: number; readonly gid?: number }>
  >
  /** Packages whose files it puts aside for its own (dpkg-divert); theirs are left out. */
  readonly diverts?: readonly string[]
  readonly users?: readonly Account[]
  readonly groups?: readonly Group[]
  /** A busybox: its programs get links where no other package brings them. */
  readonly applets?: string
  /** A folder of certificates that become one bundle. */
  readonly bundle?: { readonly from: string; readonly to: string }
  /** The loader's configuration names folders beyond its own (ldconfig): their libraries get links in one of these. */
  readonly loader?: true
  /** What else the scripts do, and why an image does without it. */
  readonly without?: string
}

/** Ids from 101 on are handed out here for good, since files on disks outlive an image. */
const ids = {
  sshd: 101,
  _ssh: 102,
  messagebus: 103,
  input: 104,
  sgx: 105,
  kvm: 106,
  render: 107,
  chrony: 108,
  dnsmasq: 109,
  tcpdump: 110,
  uuidd: 111,
  rdma: 112,
  docker: 113,
  crontab: 114,
}

const systemUser = (name: string, uid: number, home = '/nonexistent'): Required<Pick<Rule, 'users' | 'groups'>> => ({
  users: [{ name, uid, gid: uid, home }],
  groups: [{ name, gid: uid }],
})

const links = 'they register alternatives, which are read out of them'
const upgrades = 'they carry settings over from versions before'
const services = 'they start services of another init'
const capabilities = 'they set file capabilities, which the kernel drops from an initramfs'

/** What pam-auth-update would write with the unix module alone. */
const pam = {
  '/etc/pam.d/common-auth': 'auth required pam_unix.so\n',
  '/etc/pam.d/common-account': 'account required pam_unix.so\n',
  '/etc/pam.d/common-password': 'password required pam_unix.so obscure yescrypt\n',
  '/etc/pam.d/common-session': 'session required pam_unix.so\n',
  '/etc/pam.d/common-session-noninteractive': 'session required pam_unix.so\n',
}

export const rules: Readonly<Record<string, Rule>> = {
  adduser: { without: upgrades },
  apt: { without: 'they make a user for downloads and start timers' },
  'base-files': {
    copies: {
      '/root/.profile': '/usr/share/base-files/dot.profile',
      '/root/.bashrc': '/usr/share/base-files/dot.bashrc',
      '/etc/profile': '/usr/share/base-files/profile',
      '/etc/motd': '/usr/share/base-files/motd',
    },
    links: { '/etc/dpkg/origins/default': 'debian', '/var/run': '/run', '/var/lock': '/run/lock' },
    folders: {
      '/mnt': { mode: 0o755 },
      '/srv': { mode: 0o755 },
      '/opt': { mode: 0o755 },
      '/media': { mode: 0o755 },
      '/var/mail': { mode: 0o2775, gid: 8 },
      '/var/opt': { mode: 0o755 },
      '/usr/local': { mode: 0o755 },
    },
  },
  'base-passwd': { without: 'accounts are made of its lists' },
  bash: { without: 'they register a manual page' },
  'bridge-utils': { without: upgrades },
  busybox: { applets: '/usr/bin/busybox' },
  'busybox-static': { applets: '/usr/bin/busybox' },
  'ca-certificates': {
    bundle: { from: '/usr/share/ca-certificates', to: '/etc/ssl/certs/ca-certificates.crt' },
    without: 'links by hash are left out: what looks certificates up finds them in the bundle',
  },
  bison: { links: { '/usr/bin/yacc': 'bison.yacc' }, without: links },
  chrony: {
    ...systemUser('_chrony', ids.chrony, '/var/lib/chrony'),
    copies: { '/etc/chrony/chrony.conf': '/usr/share/chrony/chrony.conf' },
  },
  coreutils: { without: upgrades },
  cpp: { without: links },
  cron: { attributes: { '/usr/bin/crontab': { mode: 0o2755, gid: ids.crontab } } },
  'cron-daemon-common': {
    groups: [{ name: 'crontab', gid: ids.crontab }],
    attributes: { '/var/spool/cron/crontabs': { mode: 0o1730, gid: ids.crontab } },
  },
  dash: { links: { '/usr/bin/sh': 'dash' } },
  dbus: { attributes: { '/usr/lib/dbus-1.0/dbus-daemon-launch-helper': { mode: 0o4754, gid: ids.messagebus } } },
  'dbus-daemon': { folders: { '/var/lib/dbus': { mode: 0o755 } }, without: 'the machine id is made on the machine' },
  'dbus-system-bus-common': systemUser('messagebus', ids.messagebus),
  'debian-archive-keyring': { without: 'they copy keyrings that are there already' },
  debconf: { without: 'no question is asked' },
  debianutils: { copies: { '/etc/shells': '/usr/share/debianutils/shells' } },
  dmsetup: { without: services },
  'dnsmasq-base': { users: [{ name: 'dnsmasq', uid: ids.dnsmasq, gid: 65534, home: '/var/lib/misc' }] },
  'docker.io': { groups: [{ name: 'docker', gid: ids.docker }] },
  dpkg: { without: upgrades },
  e2fsprogs: { without: services },
  flex: { without: 'they do nothing' },
  'g++': { without: links },
  gcc: { without: links },
  git: { without: upgrades },
  'init-system-helpers': { without: upgrades },
  iproute2: { without: capabilities },
  'iputils-ping': { attributes: { '/usr/bin/ping': { mode: 0o4755 } }, without: capabilities },
  kmod: { texts: { '/etc/modules': '' } },
  less: { without: upgrades },
  'libc-bin': {
    copies: { '/etc/nsswitch.conf': '/usr/share/libc-bin/nsswitch.conf' },
    loader: true,
    without: 'the loader finds its libraries without a cache',
  },
  libc6: { without: 'they restart services after an upgrade' },
  libgcrypt20: { without: upgrades },
  'libglib2.0-0': { without: 'schemas and modules are compiled for desktops' },
  'libgssapi-krb5-2': { without: upgrades },
  'libgstreamer1.0-0': { without: capabilities },
  libibverbs1: { groups: [{ name: 'rdma', gid: ids.rdma }] },
  'libpam-modules': { texts: { '/etc/environment': '' }, without: upgrades },
  'libpam-runtime': { texts: pam },
  libpam0g: { without: 'they restart services after an upgrade' },
  'libpython3.11-minimal': { without: 'modules are compiled when they are first used' },
  libwrap0: { texts: { '/etc/hosts.allow': '', '/etc/hosts.deny': '' } },
  login: { texts: { '/etc/subuid': '', '/etc/subgid': '' }, without: 'the log of failures is made on the machine' },
  lvm2: { without: services },
  mdadm: { without: 'arrays of the build host are none of the image' },
  netbase: { without: '/etc/hosts is there in any case' },
  'nvme-cli': { without: 'ids of the host are made on the machine' },
  'openssh-client': {
    groups: [{ name: '_ssh', gid: ids._ssh }],
    attributes: { '/usr/bin/ssh-agent': { mode: 0o2755, gid: ids._ssh } },
  },
  'openssh-server': {
    users: [{ name: 'sshd', uid: ids.sshd, gid: 65534, home: '/run/sshd' }],
    copies: { '/etc/ssh/sshd_config': '/usr/share/openssh/sshd_config' },
    without: 'host keys are made on the machine: an image has none',
  },
  openssl: { without: upgrades },
  passwd: { without: 'shadow passwords are there in any case' },
  pciutils: { without: upgrades },
  perl: { without: upgrades },
  podman: { without: upgrades },
  procps: { without: upgrades },
  python3: { without: 'modules are compiled when they are first used' },
  'python3-minimal': { without: 'modules are compiled when they are first used' },
  'python3.11': { without: 'modules are compiled when they are first used' },
  'python3.11-minimal': { without: 'modules are compiled when they are first used' },
  'readline-common': { copies: { '/etc/inputrc': '/usr/share/readline/inputrc' } },
  smartmontools: { without: services },
  tcpdump: systemUser('tcpdump', ids.tcpdump),
  tmux: { without: 'it is no login shell' },
  tzdata: { links: { '/etc/localtime': '/usr/share/zoneinfo/Etc/UTC' }, texts: { '/etc/timezone': 'Etc/UTC\n' } },
  ucf: { without: upgrades },
  udev: {
    groups: (['input', 'sgx', 'kvm', 'render'] as const).map((name) => ({ name, gid: ids[name] })),
    without: 'its database of hardware names is optional',
  },
  'upx-ucl': { links: { '/usr/bin/upx': 'upx-ucl' } },
  'usr-is-merged': { without: 'the tree is merged' },
  usrmerge: { without: 'the tree is merged' },
  'util-linux': { without: services },
  'uuid-runtime': systemUser('uuidd', ids.uuidd, '/run/uuidd'),
  'vim-runtime': { diverts: ['vim-tiny'] },
  xfsprogs: { without: services },
}
