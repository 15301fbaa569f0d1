import { createHash } from 'node:crypto'
import {
  type CommandContext,
  type CommandDefinition,
  ExitCode,
  isZosError,
  type ObjectLocation,
  type ObjectStore,
  parseObjectUrl,
  ZosError,
} from '@zos/core'
import { type ManifestFacts, manifestLimit, verifyManifest } from '@zos/core/format'

/** A file by path, or an object by URL: its store and its key there. */
const targetOf = (target: string): { location: ObjectLocation; key: string } => {
  const isUrl = /^[a-z0-9]+:\/\//.test(target)
  const location = isUrl ? parseObjectUrl(target) : ({ kind: 'dir', path: target } as const)
  const path = location.kind === 'dir' ? location.path : location.prefix
  const cut = path.lastIndexOf('/')
  const key = path.slice(cut + 1)
  const above = path.slice(0, Math.max(cut, 0))
  if (key === '') throw new ZosError('VERIFY_TARGET', `${target}: expected a file`, { exit: ExitCode.usage })
  if (location.kind === 's3') return { location: { ...location, prefix: above }, key }
  return { location: { kind: 'dir', path: cut < 0 ? '.' : above || '/' }, key }
}

const manifestOf = async (store: ObjectStore, key: string): Promise<string> => {
  const name = `${key}.manifest`
  const found = await store.read(name, { limit: manifestLimit })
  if (found) return Buffer.from(found.bytes).toString('utf8')
  throw new ZosError('MANIFEST_MISSING', `${store.url(name)}: there is no signed manifest`, {
    hint: 'it lies beside the file, once one was published with sign: { key }',
    exit: ExitCode.fetch,
  })
}

const differs = (url: string, what: string): ZosError =>
  new ZosError('VERIFY_FAILED', `${url}: ${what}`, {
    hint: 'do not use it; publish it again, or look who wrote it',
    exit: ExitCode.fetch,
  })

const checkFacts = async (store: ObjectStore, key: string, facts: ManifestFacts, now: number): Promise<void> => {
  const url = store.url(key)
  if (!facts.names.includes(key)) throw differs(url, `its manifest is for ${facts.names.join(', ')}`)
  const hash = createHash('sha256')
  let size = 0
  try {
    for await (const chunk of store.get(key, { limit: facts.size })) {
      hash.update(chunk)
      size += chunk.length
    }
  } catch (error) {
    if (isZosError(error) && error.code === 'OBJECT_SIZE') throw differs(url, `it has more than ${facts.size} bytes`)
    throw error
  }
  if (size !== facts.size) throw differs(url, `it has ${size} bytes; ${facts.size} were signed`)
  if (hash.digest('hex') !== facts.sha256) throw differs(url, 'its content is not what was signed')
  if (facts.expires !== undefined && now > facts.expires) throw differs(url, 'its manifest has expired')
}

const command: CommandDefinition = {
  summary: 'Checks published files against the signed manifests beside them: signature, name, size, content, expiry.',
  arguments: 'FILE…',
  options: {
    key: { type: 'string', value: 'FILE', help: 'public key in PEM of who signed (needed)' },
  },
  examples: [
    'zos verify --key config/publish.pub /srv/images/kernel/vmlinuz-6.12.44.efi',
    'zos verify --key config/publish.pub s3s://images.example:443/images/kernel/vmlinuz-6.12.44.efi',
  ],
  run: async (ctx: CommandContext) => {
    const { key: keyFile } = ctx.options
    if (ctx.args.length === 0 || typeof keyFile !== 'string')
      throw new ZosError('CLI_USAGE', 'expected --key FILE, and files to check', {
        hint: 'zos verify --help',
        exit: ExitCode.usage,
      })
    const publicKey = await ctx.files.text(keyFile)
    if (publicKey === undefined) throw new ZosError('SIGN_KEY', `${keyFile}: no such file`, { exit: ExitCode.usage })
    for (const target of ctx.args) {
      const { location, key } = targetOf(target)
      const store = await ctx.objects(location)
      try {
        const facts = verifyManifest(await manifestOf(store, key), publicKey)
        await checkFacts(store, key, facts, Math.floor(ctx.now() / 1000))
        const url = store.url(key)
        if (ctx.json) ctx.out(`${JSON.stringify({ event: 'verified', url, ...facts })}\n`)
        else ctx.out(`ok ${url}\n`)
      } catch (error) {
        throw isZosError(error) ? error.at({ subject: key }) : error
      } finally {
        store.close()
      }
    }
    return ExitCode.ok
  },
}
export default command
