// What the image needs to check files that did not come with it: the public key, and a script for openssl.
import type { DeltaBuilder, Finding, TapContext, TreeView } from '@zos/core'
import { nodeScript } from './node-script.js'

/** Where the image keeps the key and the script. */
const keyPath = '/etc/zos/publish.pub'
export const scriptPath = '/usr/lib/zos/verify-manifest'

/** Adds the public key of a project's file, and the script that checks a file against its signed manifest. */
export const trustFiles = async (tree: TreeView, ctx: TapContext, trust: string): Promise<DeltaBuilder> => {
  const key = await ctx.project.text(trust)
  const { publicKeyOf } = await import('@zos/core/format')
  return tree
    .delta()
    .file(keyPath, publicKeyOf(key), { mode: 0o644 })
    .file(scriptPath, nodeScript({ key: keyPath, epoch: ctx.epoch }), { mode: 0o755 })
}

/** Without openssl the script refuses everything. */
export const checkOpenssl = (tree: TreeView): Finding[] =>
  ['/usr/bin/openssl', '/bin/openssl'].some((path) => tree.resolve(path) !== undefined)
    ? []
    : [
        {
          level: 'warning',
          code: 'TRUST_NO_OPENSSL',
          subject: scriptPath,
          message: 'the image has no openssl: it will refuse every flist that did not come with it',
          hint: "add the package: packages: ['openssl']",
        },
      ]
