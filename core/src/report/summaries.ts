import type { Phase, Session } from '../engine/session.js'

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

/** What a finished phase has to say, in a few words. */
export const summaries = (phase: Phase, { plan, steps, fetched, artifacts }: Session): string => {
  const ran = steps.filter(({ state }) => state === 'ran').length
  switch (phase) {
    case 'resolve':
      return `${plural(plan?.sources.size ?? 0, 'source')}, ${plural(plan?.components.size ?? 0, 'component')}, ${plural(plan?.outputs.size ?? 0, 'output')}`
    case 'fetch':
      return plural(fetched.size, 'input')
    case 'build':
      return plural(artifacts.size, 'component')
    default:
      return `${plural(steps.length, 'step')} so far, ${ran} run`
  }
}
