import type { Finding, TreeView } from '@zos/core'

/** Keys are small; a larger file is no key. Bytes. */
const largest = 64 * 1024
/** Where programs and people keep keys. */
const places = '/{etc,root,home,srv,var,opt}/**'

const armoured = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/=\s:,-]{32}/

/** A private key in an image is the same on every machine that boots it: told by content, whatever its name. */
export const privateKeyFindings = async (tree: TreeView): Promise<Finding[]> => {
  const findings: Finding[] = []
  for (const record of tree.glob(places)) {
    if (record.kind !== 'file' || record.blob.size > largest) continue
    if (!armoured.test(Buffer.from(await tree.read(record.path)).toString('latin1'))) continue
    findings.push({
      level: 'error',
      code: 'SYSTEM_PRIVATE_KEY',
      subject: record.path,
      message: 'holds a private key: every machine that boots this image would have the same',
      hint: 'make it on the machine, in a oneshot, or bring it there by other means',
    })
  }
  return findings
}
