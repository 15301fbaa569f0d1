import { isZosError, redact } from '../error.js'

/** Title, reason, hint, in that order. A defect of zos itself comes with its stack. */
export const errorLines = (error: unknown): string[] => {
  if (!isZosError(error)) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    return [
      `error INTERNAL ${redact(message)}`,
      ...redact(stack ?? '')
        .split('\n')
        .slice(1, 8),
      '  hint: this is a defect of zos',
    ]
  }
  const { plugin, hook, subject } = error.place
  const place = [plugin, hook].filter(Boolean).join(', ')
  return [
    `error ${error.code}${place ? ` [${place}]` : ''}${subject ? ` ${subject}` : ''}`,
    ...error.message.split('\n').map((line) => (line.startsWith('  ') ? line : `  ${line}`)),
    ...error.hint.flatMap((hint, index) =>
      /^(log|shell): /.test(hint)
        ? [`  ${hint.replace(/^(log|shell): /, (label) => label.padEnd(7))}`]
        : hint.split('\n').map((line, inner) => `${index + inner === 0 ? '  hint: ' : '        '}${line}`),
    ),
  ]
}

export const errorJson = (error: unknown): string =>
  JSON.stringify(
    isZosError(error)
      ? { event: 'error', code: error.code, ...error.place, message: error.message, hint: error.hint, data: error.data }
      : { event: 'error', code: 'INTERNAL', message: redact(String(error)) },
  )
