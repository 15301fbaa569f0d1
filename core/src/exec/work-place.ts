// Where the inputs of a command lie: a folder of its own, or the one that a container which stays has as its working folder.
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Session } from '../engine/session.js'
import { containerFolder } from './kept-container.js'

export interface WorkPlace {
  /** Empty. */
  readonly folder: string
  /** Removes what is in it. */
  done(): Promise<void>
}

const empty = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true })
}

/** A container that stays takes one command at a time, of whichever build. */
const inContainer = async ({ store, signal, report }: Session, name: string, step: string): Promise<WorkPlace> => {
  const folder = containerFolder(store, name)
  const claim = `container ${name}`
  while (!store.claim(claim)) {
    report.progress(step, `waiting for the container ${name}`)
    await pause(100, undefined, { signal })
  }
  await empty(folder)
  return { folder, done: () => empty(folder).finally(() => store.release(claim)) }
}

export const workPlace = async (session: Session, step: string, key: string): Promise<WorkPlace> => {
  const { container } = session.flags
  if (container) return inContainer(session, container.name, step)
  const folder = session.store.workFolder(`action-${key.slice(0, 16)}`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder)
  return { folder, done: () => rm(folder, { recursive: true, force: true }) }
}
