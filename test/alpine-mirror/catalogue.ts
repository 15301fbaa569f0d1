// What the test's Alpine mirror is made of: packages of Debian under the names that Alpine gives them, and stand-ins for
// what Debian does not have.

/** Alpine's name → Debian's packages. One package takes Alpine's name; of several, Alpine's is a package that needs them. */
export const fromDebian: Readonly<Record<string, readonly string[]>> = {
  bash: ['bash'],
  'bridge-utils': ['bridge-utils'],
  'btrfs-progs': ['btrfs-progs'],
  busybox: ['busybox-static'],
  'ca-certificates-bundle': ['ca-certificates'],
  curl: ['curl'],
  dhcpcd: ['dhcpcd-base'],
  dmidecode: ['dmidecode'],
  dosfstools: ['dosfstools'],
  e2fsprogs: ['e2fsprogs'],
  ethtool: ['ethtool'],
  eudev: ['udev'],
  fuse3: ['fuse3'],
  htop: ['htop'],
  iproute2: ['iproute2'],
  iputils: ['iputils-ping'],
  jq: ['jq'],
  kmod: ['kmod'],
  less: ['less'],
  lsof: ['lsof'],
  mtools: ['mtools'],
  nano: ['nano'],
  nftables: ['nftables'],
  'nvme-cli': ['nvme-cli'],
  openssh: ['openssh-server', 'openssh-client', 'openssh-sftp-server'],
  openssl: ['openssl'],
  parted: ['parted'],
  pciutils: ['pciutils'],
  'procps-ng': ['procps'],
  psmisc: ['psmisc'],
  redis: ['redis-server', 'redis-tools'],
  rsync: ['rsync'],
  sgdisk: ['gdisk'],
  smartmontools: ['smartmontools'],
  socat: ['socat'],
  strace: ['strace'],
  tar: ['tar'],
  tcpdump: ['tcpdump'],
  tzdata: ['tzdata'],
  usbutils: ['usbutils'],
  'util-linux': ['util-linux', 'mount', 'fdisk'],
  'wireguard-tools': ['wireguard-tools'],
  xfsprogs: ['xfsprogs'],
  xz: ['xz-utils'],
  zstd: ['zstd'],
  'systemd-efistub': ['systemd-boot-efi'],
}

/** Packages of Debian that only its own installation needs, or that the image's programs do without. */
export const leftOut: ReadonlySet<string> = new Set([
  ...[
    'adduser',
    'base-files',
    'base-passwd',
    'cdebconf',
    'debconf',
    'debianutils',
    'dpkg',
    'gcc-12-base',
    'init-system-helpers',
  ],
  ...[
    'libpam-modules',
    'libpam-modules-bin',
    'libpam-runtime',
    'lsb-base',
    'passwd',
    'perl-base',
    'procps-base',
    'sensible-utils',
  ],
  ...[
    'sysvinit-utils',
    'ucf',
    'usr-is-merged',
    'mawk',
    'python3',
    'python3-minimal',
    'python3.11',
    'python3.11-minimal',
    'media-types',
  ],
  ...[
    'libpython3-stdlib',
    'libpython3.11-minimal',
    'libpython3.11-stdlib',
    'runit-helper',
    'dmsetup',
    'libdebconfclient0',
    'netbase',
  ],
  ...[
    'coreutils',
    'cpio',
    'initramfs-tools',
    'initramfs-tools-core',
    'klibc-utils',
    'libklibc',
    'linux-base',
    'perl',
    'libperl5.36',
  ],
  ...[
    'perl-modules-5.36',
    'libgdbm6',
    'libgdbm-compat4',
    'libdb5.3',
    'libsasl2-modules-db',
    'libfile-find-rule-perl',
    'libnumber-compare-perl',
    'libtext-glob-perl',
  ],
  ...[
    'libpam-cap',
    'libcap2-bin',
    'diffutils',
    'findutils',
    'grep',
    'gzip',
    'hostname',
    'login',
    'ncurses-base',
    'ncurses-bin',
    'sed',
    'dash',
  ],
])

/** Packages that Debian does not have: a file or two that say so. */
export const standIns: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'alpine-release': {
    '/etc/alpine-release': '3.22.0\n',
    '/usr/lib/os-release':
      'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.0\nPRETTY_NAME="Alpine Linux v3.22 (stand-in)"\n',
  },
  'apk-tools': { '/usr/share/stand-in/apk-tools': 'a stand-in: this mirror has no apk\n' },
  'bcachefs-tools': { '/usr/share/stand-in/bcachefs-tools': 'a stand-in: Debian 12 has no bcachefs\n' },
  'linux-firmware-rtl_nic': {
    '/lib/firmware/rtl_nic/rtl8168h-2.fw': 'a stand-in for firmware\n',
    '/lib/firmware/rtl_nic/rtl8125a-3.fw': 'a stand-in for firmware that no line of firmware.conf names\n',
  },
  'linux-firmware-tigon': { '/lib/firmware/tigon/tg3.bin': 'a stand-in for firmware\n' },
  'linux-firmware-bnx2': { '/lib/firmware/bnx2/bnx2-mips-09-6.2.1b.fw': 'a stand-in for firmware\n' },
  'linux-firmware-e100': { '/lib/firmware/e100/d101m_ucode.bin': 'a stand-in for firmware\n' },
}

/** Accounts that Alpine's packages would add when they are installed, and its own. */
const users = [
  'root:x:0:0:root:/root:/bin/sh',
  'daemon:x:2:2:daemon:/sbin:/sbin/nologin',
  'nobody:x:65534:65534:nobody:/:/sbin/nologin',
]
const services = [
  'sshd:22:/var/empty',
  'redis:101:/var/lib/redis',
  'dhcpcd:102:/var/lib/dhcpcd',
  'tcpdump:103:/var/empty',
]
const groups = [
  'root:0',
  'daemon:2',
  'adm:4',
  'tty:5',
  'disk:6',
  'lp:7',
  'kmem:9',
  'dialout:20',
  'cdrom:24',
  'tape:26',
  'audio:29',
  'shadow:42',
  'video:44',
]
const moreGroups = ['sgx:104', 'render:105', 'input:106', 'kvm:107', 'utmp:43', 'nogroup:65534']

const account = (text: string): string[] => text.split(':')

/** Stands in for alpine-baselayout: folders, accounts, and what programs read at once. */
export const baseFiles: Readonly<Record<string, string>> = {
  '/etc/passwd': [
    ...users,
    ...services.map(account).map(([name, id, home]) => `${name}:x:${id}:${id}:${name}:${home}:/sbin/nologin`),
    '',
  ].join('\n'),
  '/etc/group': [...groups, ...moreGroups, ...services]
    .map(account)
    .map(([name, id]) => `${name}:x:${id}:\n`)
    .join(''),
  '/etc/shadow': [
    'root:*::0:::::',
    ...[...users.slice(1), ...services].map((line) => `${account(line)[0]}:!::0:::::`),
    '',
  ].join('\n'),
  '/etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
  '/etc/profile': 'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n',
  '/etc/shells': '/bin/sh\n/bin/ash\n',
}

export const baseFolders: readonly string[] = [
  ...[
    'bin',
    'dev',
    'etc',
    'home',
    'lib',
    'media',
    'mnt',
    'opt',
    'proc',
    'root',
    'run',
    'sbin',
    'srv',
    'sys',
    'tmp',
    'usr',
    'var',
  ],
  ...[
    'usr/bin',
    'usr/lib',
    'usr/local',
    'usr/sbin',
    'usr/share',
    'var/cache',
    'var/empty',
    'var/lib',
    'var/log',
    'var/spool',
    'var/tmp',
  ],
  ...['var/lib/redis', 'var/lib/dhcpcd', 'lib/firmware'],
].map((path) => `/${path}`)

/**
 * Drivers that the flagship's modules.conf or a virtual machine may ask for, and what those need; the others of Debian's 4,000
 * stay behind.
 */
export const keptModules: ReadonlySet<string> = new Set(
  [
    '8021q ahci ata_generic ata_piix bcachefs bnx2 bnx2x bonding bridge btrfs button cdrom chacha_x86_64 crc16',
    'crc32c_intel curve25519_x86_64 dca dm_mod e1000 e1000e efivarfs ehci_hcd ehci_pci evdev ext4 failover fat garp',
    'gnss hid hid_generic i2c_algo_bit i2c_piix4 i2c_smbus i40e ice igb igc ip6_udp_tunnel ixgbe jbd2 libahci',
    'libata libchacha libchacha20poly1305 libcrc32c libcurve25519_generic libie libphy llc loop lz4_compress',
    'lz4hc_compress mbcache md_mod mdio mdio_devres megaraid_sas mlx4_core mlx4_en mlx5_core mlxfw mpt3sas mrp',
    'net_failover nf_conntrack nf_defrag_ipv4 nf_defrag_ipv6 nf_tables nfnetlink nft_ct nls_cp437 nls_iso8859_1',
    'nvme nvme_auth nvme_core overlay pci_hyperv_intf poly1305_x86_64 psmouse qemu_fw_cfg r8169 raid1 raid6_pq',
    'raid_class realtek scsi_common scsi_mod scsi_transport_sas sd_mod sg squashfs sr_mod stp tap tg3 tls tun',
    'udp_tunnel uhci_hcd usb_common usb_storage usbcore usbhid veth vfat vhost vhost_iotlb vhost_net virtio_balloon',
    'virtio_blk virtio_net virtio_rng virtio_scsi wireguard x_tables xfrm_algo xfs xhci_hcd xhci_pci xor',
    'xt_conntrack',
  ].flatMap((line) => line.split(' ')),
)
