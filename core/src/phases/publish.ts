// publish: sends finished outputs to the config's targets; nothing is remembered, the target's real state counts.

import { isSecret } from '../config/values.js'
import type { PublishContext } from '../context.js'
import type { Session } from '../engine/session.js'
import { given, placed } from '../engine/tap-memory.js'
import { ExitCode, ZosError } from '../error.js'
import type { Output, Receipt } from '../model/output.js'

export const publish = async (session: Session, outputs: readonly Output[]): Promise<readonly Receipt[]> => {
  const receipts: Receipt[] = []
  await session.tapables.publish.promise(async (tap) => {
    const ctx: PublishContext = {
      ...session.settings,
      outputs,
      blobs: session.store.blobs,
      signal: session.signal,
      secret: (value) => {
        const name = isSecret(value) ? value.env : ''
        const text = session.env[name]
        if (text) return text
        throw new ZosError('SECRET_MISSING', `the secret ${name} is not set in the environment`, {
          exit: ExitCode.config,
        })
      },
      progress: (text, done, total) => session.report.progress(`${tap.plugin}/${tap.name}`, text, done, total),
      warn: (code, message, hint) =>
        session.report.warn({ code, message, plugin: tap.plugin, ...(hint !== undefined && { hint }) }),
    }
    try {
      receipts.push(...given(await tap.run(ctx), 'a list of receipts'))
    } catch (cause) {
      throw placed(cause, tap, tap.name)
    }
  })
  return receipts
}
