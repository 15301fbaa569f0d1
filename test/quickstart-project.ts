// A project whose own config is the quickstart, with a store that has what the checkout's has.
import { spawnSync } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { project, storeOf } from './zos.js'

/** Contents are never written again, so that a link to one is a copy; the database is copied. */
export const copyStore = (to: string): void => {
  const script = `cp -al "$1" "$2" 2>/dev/null || { rm -rf "$2"; cp -a "$1" "$2"; }
cd "$2" && rm -rf */store.sqlite* */work/* */partial/* fresh && cd "$1" && cp --parents */store.sqlite* "$2"`
  const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', storeOf(project), to], { encoding: 'utf8' })
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
