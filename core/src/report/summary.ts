import { relative } from 'node:path'
import type { BuildSummary } from './report.js'
import { sizeText, table, timeText } from './words.js'

const stepLimit = 20

/** The end of a build: the outputs, and what ran and why. */
export const summaryLines = (build: BuildSummary, cwd: string): string[] => [
  ...outputLines(build, cwd),
  ...(build.verified ? [verifiedLine(build.verified)] : []),
  ...(build.receipts.length > 0 ? ['  published'] : []),
  ...build.receipts.map(({ url, note }) => `    ${url}${note === undefined ? '' : `  (${note})`}`),
]

const verifiedLine = ({ tap, action, function: functions }: NonNullable<BuildSummary['verified']>): string =>
  `  made again and equal: ${tap} taps, ${action} commands, ${functions} remembered functions`

const outputLines = ({ manifest, before, folder, steps, ms }: BuildSummary, cwd: string): string[] => {
  const ran = steps.filter(({ state }) => state !== 'hit')
  const isShared = (id: string): boolean => steps.filter(({ step }) => step === id).length > 1
  const shown = `${relative(cwd, folder) || '.'}/`
  const isChanged = manifest.outputs.some(({ name, sha256 }) => before[name]?.sha256 !== sha256)
  if (ran.length === 0 && !isChanged)
    return [`${manifest.name}: up to date, ${steps.length} steps from the store, ${timeText(ms)} → ${shown}`]
  const rows = manifest.outputs.map(({ name, note, size, sha256 }) => {
    const old = before[name]
    const was = !old ? 'new' : old.sha256 === sha256 ? 'same' : sizeText(old.size)
    return [`    ${name}${note ? `  (${note})` : ''}`, sizeText(size), was, `${sha256.slice(0, 8)}…`]
  })
  const lines = table([[`  outputs in ${shown}`, 'size', 'was', 'sha256'], ...rows], [1, 2])
  lines.push(`  ${steps.length} steps: ${steps.length - ran.length} from the store, ${ran.length} run, ${timeText(ms)}`)
  lines.push(
    ...table(
      ran
        .slice(0, stepLimit)
        .map(({ step, phase, why }) => [`    ${step}${isShared(step) ? ` (${phase})` : ''}`, why.join('; ')]),
    ),
  )
  if (ran.length > stepLimit) lines.push(`    … and ${ran.length - stepLimit} more: zos steps`)
  return lines
}
