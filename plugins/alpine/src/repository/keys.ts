import { createRequire } from 'node:module'
import { type Arch, type ProjectReader, sha256, ZosError } from '@zos/core'
import type { PublicKeys } from '../format/signature.js'

/** SHA-256 of Alpine's own keys by name, as the package alpine-keys brings them. */
const pinned: Readonly<Record<Arch, Readonly<Record<string, string>>>> = {
  x86_64: {
    'alpine-devel@lists.alpinelinux.org-4a6a0840.rsa.pub':
      '9c102bcc376af1498d549b77bdbfa815ae86faa1d2d82f040e616b18ef2df2d4',
    'alpine-devel@lists.alpinelinux.org-5261cecb.rsa.pub':
      '12f899e55a7691225603d6fb3324940fc51cd7f133e7ead788663c2b7eecb00c',
    'alpine-devel@lists.alpinelinux.org-6165ee59.rsa.pub':
      '207e4696d3c05f7cb05966aee557307151f1f00217af4143c1bcaf33b8df733f',
  },
  aarch64: {
    'alpine-devel@lists.alpinelinux.org-58199dcc.rsa.pub':
      '73867d92083f2f8ab899a26ccda7ef63dfaa0032a938620eda605558958a8041',
    'alpine-devel@lists.alpinelinux.org-616ae350.rsa.pub':
      'd11f6b21c61b4274e182eb888883a8ba8acdbf820dcc7a6d82a7d9fc2fd2836d',
  },
}

/** Alpine's keys for an architecture; no network is needed. */
export const alpineKeys = (arch: Arch): PublicKeys => {
  const shipped = createRequire(import.meta.url)('../../keys/alpine.json') as Record<string, string>
  return new Map(
    Object.entries(pinned[arch]).map(([name, digest]) => {
      const pem = shipped[name]
      if (pem === undefined || sha256(Buffer.from(pem)) !== digest)
        throw new ZosError('APK_KEY', `the key ${name} of this package is not the one that is pinned`, {
          hint: 'install @zos/alpine anew',
        })
      return [name, pem]
    }),
  )
}

/** The keys of a folder of the project by file name. A folder without any is `APK_KEY`. */
export const ownKeys = async (folder: string, project: Pick<ProjectReader, 'glob' | 'text'>): Promise<PublicKeys> => {
  const paths = await project.glob(`${folder.replace(/\/+$/, '')}/*.pub`)
  if (paths.length === 0)
    throw new ZosError('APK_KEY', `${folder}: no public keys (*.rsa.pub) in this folder`, {
      hint: 'a key keeps the name that it was signed with, such as builder@example.org-5e1d0000.rsa.pub',
    })
  const keys = new Map<string, string>()
  for (const path of paths) keys.set(path.slice(path.lastIndexOf('/') + 1), await project.text(path))
  return keys
}
