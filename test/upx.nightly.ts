// time limit: 2400 s
// Programs packed by UPX: each is tested where it is packed, and all of them boot.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { build, project, zos } from './zos.js'

const config = 'variants/quickstart-upx.config.ts'
/** Seconds: a build that compiles everything, a boot, a short answer. */
const limits = { build: 1800, boot: 300, short: 120 }

test('the quickstart boots until it is ready with all its programs packed', async () => {
  await build(config, project, limits.build)
  const { stdout } = await zos(['explain', 'upx/pack', '-c', config], project, limits.short)
  for (const path of ['/usr/sbin/zinit', '/usr/sbin/zinit-server', '/usr/bin/busybox', '/usr/bin/kmod'])
    assert.match(stdout, new RegExp(`${path} {2}packed: `))
  const run = ['run', '-c', config, '--expect', 'zos: ready', '--timeout', String(limits.boot)]
  await zos(run, project, limits.boot + 10)
})

test.run()
