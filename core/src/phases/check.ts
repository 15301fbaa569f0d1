// check: all findings of all plugins on the finished tree, in one report.

import { baseSenses, treeSenses } from '../engine/senses.js'
import type { Session } from '../engine/session.js'
import { tapContext, treeView } from '../engine/tap-context.js'
import { given, remembered } from '../engine/tap-memory.js'
import { ExitCode, ZosError } from '../error.js'
import type { Tap } from '../hooks.js'
import type { Json } from '../model/canonical.js'
import type { Finding } from '../model/output.js'
import type { FileTree } from '../model/tree.js'

export const check = async (session: Session, tree: FileTree): Promise<void> => {
  const findings: Found[] = []
  const failures: unknown[] = []
  // A tap that fails does not end the others, which would go on unseen.
  await session.tapables.check.promise((tap) => checkOne(tap).catch((error: unknown) => void failures.push(error)))
  if (failures.length > 0) throw failures[0]
  // A plan tells what runs, not what is found.
  if (!session.planner) report(session, findings)

  async function checkOne(tap: Tap<'check'>): Promise<void> {
    const id = `${tap.plugin}/${tap.name}`
    const found = await remembered(session, {
      id,
      phase: 'check',
      tap,
      input: null,
      senses: { ...baseSenses(session), ...treeSenses(tree) },
      run: async (recorder) =>
        given(
          await tap.run(treeView(session, tree, recorder), tapContext(session, id, tap.plugin, recorder)),
          'a list of findings',
        ),
      encode: async (list) => list as unknown as Json,
      decode: async (stored) => stored as unknown as readonly Finding[],
      isWhole: async () => true,
      unknown: () => [],
    })
    findings.push(...found.map((finding) => ({ plugin: tap.plugin, finding })))
  }
}

const sortKey = ({ plugin, finding }: Found): string =>
  [finding.code, finding.subject, finding.message, plugin].join('\0')

interface Found {
  readonly plugin: string
  readonly finding: Finding
}

/** Warnings to the report; errors, all of them, as one. */
const report = (session: Session, findings: Found[]): void => {
  findings.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
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
