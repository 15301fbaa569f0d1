import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fileDigest, hostToolchain, installedVersions } from '../dist/exec/identity.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-identity-'))
test.after(() => rmSync(folder, { recursive: true }))
const path = '/usr/bin:/bin'
const status = join(folder, 'status')
writeFileSync(
  status,
  `Package: gcc-12
Status: install ok installed
Version: 12.2.0-14
Description: the compiler
 Package: gone

Package: gone
Status: deinstall ok config-files
Version: 1

Package: libc6-dev
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u10
`,
)
const host = { path, digest: fileDigest, dpkgStatus: status }

const tool = (where: string, text: string): string => {
  mkdirSync(join(folder, where), { recursive: true })
  const file = join(folder, where, 'tool')
  writeFileSync(file, text)
  chmodSync(file, 0o755)
  return file
}

test('tools are found, and their places told', async () => {
  const { tools, title, identity } = await hostToolchain({ tools: ['sh', '/usr/bin/env'] }, host)
  assert.equal(tools, { sh: '/usr/bin/sh', '/usr/bin/env': '/usr/bin/env' })
  assert.is(title, '/usr/bin/env, sh')
  assert.match(identity, /^[0-9a-f]{64}$/)
  assert.is((await hostToolchain({ tools: ['/usr/bin/env', 'sh', 'sh'] }, host)).identity, identity)
})

test('where a folder lies on the host does not matter, what is in it does', async () => {
  tool('one/bin', '#!/bin/sh\n')
  cpSync(join(folder, 'one'), join(folder, 'two'), { recursive: true })
  const of = (name: string) => {
    const folders = { '/opt/x': { from: join(folder, name), identity: ['bin/tool'] } }
    return hostToolchain({ tools: [join(folder, name, 'bin/tool')], folders }, host)
  }
  const [one, two] = [await of('one'), await of('two')]
  assert.equal(Object.values(one.tools), ['/opt/x/bin/tool'])
  assert.equal(one.folders, { '/opt/x': join(folder, 'one') })
  assert.is(one.identity === two.identity, true)
  tool('two/bin', '#!/bin/sh\necho other\n')
  assert.is.not((await of('two')).identity, one.identity)
})

test('packages count by version', async () => {
  const of = (packages: string[], dpkgStatus = status) =>
    hostToolchain({ tools: ['sh'], packages }, { ...host, dpkgStatus })
  const both = await of(['libc6-dev', 'gcc-12'])
  assert.is(both.title, 'gcc-12 12.2.0-14, libc6-dev 2.36-9+deb12u10')
  assert.is.not(both.identity, (await of(['gcc-12'])).identity)
  assert.is((await of(['gcc-12'], join(folder, 'no-dpkg'))).title, 'sh')
  try {
    await of(['gone', 'gcc-12'])
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, 'not installed on this machine: gone')
  }
  assert.equal([...installedVersions('', ['gcc-12'])], [])
})

test('a tool that is missing, or that the sandbox would not show, is an error', async () => {
  const code = async (tools: string[], more = {}): Promise<unknown> => {
    try {
      await hostToolchain({ tools }, { ...host, ...more })
    } catch (error) {
      return (error as { code: string }).code
    }
    return undefined
  }
  assert.is(await code(['no-such-tool']), 'HOST_TOOL_MISSING')
  const own = tool('mine', '#!/bin/sh\n')
  assert.is(await code([own]), 'TOOLCHAIN_HIDDEN')
  assert.is(await code(['tool'], { path: join(folder, 'mine') }), 'TOOLCHAIN_HIDDEN')
  chmodSync(own, 0o644)
  assert.is(await code([own]), 'HOST_TOOL_MISSING')
  mkdirSync(join(folder, 'bin'))
  symlinkSync('/usr/bin/env', join(folder, 'bin/linked'))
  assert.is(await code([join(folder, 'bin/linked')]), 'TOOLCHAIN_HIDDEN')
})

test.run()
