// check: all findings of all plugins on the finished tree, in one report.
import type { Session } from '../engine/session.js'
import { baseSenses, tapContext, treeSenses, treeView } from '../engine/tap-context.js'
import { remembered } from '../engine/tap-memory.js'
import { ExitCode, ZosError } from '../error.js'
import type { Json } from '../model/canonical.js'
import type { Finding } from '../model/output.js'
import type { FileTree } from '../model/tree.js'

export const check = async (session: Session, tree: FileTree): Promise<void> => {
  const findings: { plugin: string; finding: Finding }[] = []
  await session.tapables.check.promise(async (tap) => {
    const id = `${tap.plugin}/${tap.name}`
    const found = await remembered(session, {
      id,
      phase: 'check',
      tap,
      input: null,
      senses: { ...baseSenses(session), ...treeSenses(tree) },
      run: (recorder) => tap.run(treeView(session, tree, recorder), tapContext(session, id, tap.plugin, recorder)),
      encode: async (list) => list as unknown as Json,
      decode: async (stored) => stored as unknown as readonly Finding[],
      isWhole: async () => true,
    })
    findings.push(...found.map((finding) => ({ plugin: tap.plugin, finding })))
  })
  findings.sort((a, b) => (a.finding.code + a.finding.subject < b.finding.code + b.finding.subject ? -1 : 1))
  for (const { plugin, finding } of findings) {
    const { level, code, subject, message, hint } = finding
    if (level === 'warning')
      session.report.warn({ code, plugin, message: `${subject}: ${message}`, ...(hint !== undefined && { hint }) })
  }
  const errors = findings.filter(({ finding }) => finding.level === 'error')
  if (errors.length === 0) return
  const lines = errors.map(
    ({ plugin, finding }) => `${finding.code} [${plugin}] ${finding.subject}: ${finding.message}`,
  )
  throw new ZosError(
    'CHECK_FAILED',
    `${errors.length} finding${errors.length === 1 ? '' : 's'} in the finished tree\n  ${lines.join('\n  ')}`,
    {
      hook: 'check',
      hint: [...new Set(errors.flatMap(({ finding }) => finding.hint ?? []))],
      exit: ExitCode.build,
      data: { findings: errors },
    },
  )
}
