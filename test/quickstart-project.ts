// A project whose own config is the quickstart, with a store that has what the checkout's has.
import { spawnSync } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import * as assert from 'uvu/assert'
import { project, storeOf } from './zos.js'

/** Copies the checkout's store. Contents are never written again, so that a link to one is a copy. */
export const copyStore = (to: string): void => {
  const file = 'v2/store.sqlite'
  const database = new Database(join(storeOf(project), file), { fileMustExist: true })
  // Another test may write to the store now: the database first, as of one moment, then at least the blobs that it names.
  database.prepare('VACUUM INTO ?').run(`${to}.sqlite`)
  database.close()
  const script = `cp -al "$1" "$2" 2>/dev/null || { rm -rf "$2"; cp -a "$1" "$2"; }
cd "$2" && rm -rf */store.sqlite* */work/* */partial/* fresh && mv "$2.sqlite" "$3"`
  const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', storeOf(project), to, file], { encoding: 'utf8' })
  assert.is(status, 0, stderr)
}

/** Makes it in a new folder; the quickstart's lock has to be there. */
export const makeQuickstartProject = (place: string): void => {
  for (const path of ['package.json', 'config/quickstart', 'plugins/zosstorage/crate'])
    cpSync(join(project, path), join(place, path), { recursive: true, filter: (from) => !from.endsWith('/target') })
  for (const name of ['config.ts', 'lock'])
    cpSync(join(project, `variants/quickstart.${name}`), join(place, `zos.${name}`))
  symlinkSync(join(project, 'node_modules'), join(place, 'node_modules'))
}
