// zos sums: digests of the outputs of the last build, as sha256sum(1) checks them.
import { ExitCode, ZosError } from '@zos/core'

/** @type {import('@zos/core').CommandDefinition} */
const command = {
  summary: 'Prints the digests of the last build’s outputs, as sha256sum checks them.',
  options: { only: { type: 'string', value: 'NAME', help: 'one output alone' } },
  examples: ['zos sums >SHA256SUMS', 'zos sums --only vmlinuz.efi'],
  async run(ctx) {
    const manifest = await ctx.manifest()
    if (!manifest) throw new ZosError('SUMS_NOTHING', 'nothing is built yet', { hint: 'zos build' })
    const { only } = ctx.options
    const found = manifest.outputs.filter(({ name }) => only === undefined || name === only)
    if (found.length === 0) {
      throw new ZosError('SUMS_UNKNOWN', `there is no output ${only}`, {
        hint: `outputs: ${manifest.outputs.map(({ name }) => name).join(', ')}`,
        exit: ExitCode.usage,
      })
    }
    if (ctx.json) ctx.out(`${JSON.stringify(Object.fromEntries(found.map(({ name, sha256 }) => [name, sha256])))}\n`)
    else for (const { name, sha256 } of found) ctx.out(`${sha256}  ${name}\n`)
    return ExitCode.ok
  },
}
export default command
