import type { Source } from '@zos/core'

/** How a release of kernel.org is checked. */
export interface KernelOrgOptions {
  /** SHA-256 of `linux-VERSION.tar.xz`, 64 hex digits. Without it the lock pins what the server's list of sums says. */
  readonly sha256?: string
  /** Path of a keyring with the keys of those who sign releases (`gpg --export`, armored or not); the signature decides. */
  readonly keyring?: string
  /** Servers with the layout of `https://cdn.kernel.org/pub`, tried in this order. */
  readonly mirrors?: readonly string[]
}

/** A release of kernel.org as a source of the lock. */
export interface KernelOrgSource extends Source {
  readonly kind: 'kernel-org'
  readonly version: string
  readonly sha256?: string
  readonly keyring?: string
  readonly mirrors: string[]
}

export const kernelOrgSite = 'https://cdn.kernel.org/pub'

/** The sources of a release: `kernelOrg('6.12.44', { sha256: '…' })`. */
export const kernelOrg = (
  version: string,
  { mirrors = [kernelOrgSite], ...options }: KernelOrgOptions = {},
): KernelOrgSource => ({ ...options, kind: 'kernel-org', version, mirrors: [...mirrors] })

/** Folder of a release's files: `6.12.44` lies in `linux/kernel/v6.x`. */
export const releaseFolder = (version: string): string => `linux/kernel/v${version.split('.')[0]}.x`

export const tarballName = (version: string): string => `linux-${version}.tar.xz`

/** Where a release is to be had, credentials of a mirror left out. */
export const tarballUrl = ({ version }: KernelOrgSource): string =>
  `${kernelOrgSite}/${releaseFolder(version)}/${tarballName(version)}`
