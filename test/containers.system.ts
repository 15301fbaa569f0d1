// time limit: 900 s
// One toolchain of Debian packages, and whoever runs commands in it: bubblewrap, podman and docker give the same bytes.
// And what is said where namespaces are forbidden.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { engineEnvironment } from './container-engines.js'
import { type Ended, project, startZos } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-containers-'))
const limit = 300

writeFileSync(join(folder, 'package.json'), '{"name":"containers","private":true,"type":"module"}')
symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
writeFileSync(
  join(folder, 'zos.config.ts'),
  `import { defineConfig, definePlugin } from '@zos/core'
import { debian } from '@zos/debian'
import * as v from 'valibot'

const script = \`echo '#include <stdio.h>
int main(void) { puts("hello from " __FILE__); return 0; }' >hello.c
cc -g -o hello hello.c
./hello >said
{ umask; pwd; date -u +%Z; echo "$HOME $USER $SOURCE_DATE_EPOCH $LANG"; ls /sys/class/net 2>/dev/null | grep -v '^lo$' || :; } >world
mkdir -p a/b; tar -cf - a | tar -xf - -C /tmp
touch /outside 2>/dev/null && exit 9 || :\`

const compile = definePlugin<object>()({
  name: 'compile', version: '1.0.0', code: import.meta.url, options: v.strictObject({}),
  apply(hooks) {
    hooks.assemble.tap('program', async (tree, ctx) => {
      const toolchain = await ctx.host({ tools: ['cc', 'tar'] })
      const outputs = ['hello', 'said', 'world']
      const { tree: made } = await ctx.run({ name: 'compile', command: ['/bin/sh', '-euc', script], inputs: {}, outputs, toolchain })
      return tree.delta().tree(made)
    })
  },
})
const packages = ['busybox-static', 'tcc', 'libc6-dev']
const tools = debian.as('tools', { suite: 'bookworm', packages, arch: 'x86_64', image: false })
export default defineConfig({
  name: 'containers', plugins: [tools, compile()], toolchain: tools.root, initramfs: { compression: 'none' },
})
`,
)

test.after(() => {
  spawnSync('chmod', ['-R', 'u+w', folder])
  rmSync(folder, { recursive: true, force: true })
})

const zosIn = (store: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> => {
  return startZos(args, folder, limit, { ...env, ZOS_STORE: join(folder, store) }).ended
}
const succeeded = ({ end, stdout, stderr }: Ended): string => {
  assert.is(end, 0, stdout + stderr)
  return stdout + stderr
}
const archive = (): Buffer => readFileSync(join(folder, 'dist/initramfs.cpio'))

let expected: Buffer | undefined

test('bubblewrap runs commands in the toolchain; what update-alternatives would link is linked', async () => {
  const said = succeeded(await zosIn('bubblewrap', ['build'], {}))
  assert.not.match(said, 'warning', said)
  expected = archive()
  const text = expected.toString('latin1')
  assert.match(text, 'hello from hello.c\n')
  assert.match(text, '0022\n/build\nUTC\n/tmp/home zos 315532800 C.UTF-8\n')
})

for (const engine of ['podman', 'docker'] as const) {
  const found = engineEnvironment(engine, folder)
  if ('reason' in found) {
    console.log(`skip ${engine} gives the bytes of bubblewrap: ${found.reason}`)
    continue
  }
  const zos = (args: readonly string[]): Promise<Ended> => zosIn(engine, args, found.env)

  test(`${engine} gives the bytes of bubblewrap`, async () => {
    assert.ok(expected, 'bubblewrap built nothing')
    rmSync(join(folder, 'dist'), { recursive: true })
    const said = succeeded(await zos(['build', '--executor', engine]))
    assert.match(said, /compile\/program\s+first time/)
    assert.ok(archive().equals(expected), 'other bytes')
  })

  test(`${engine} takes the place of a bubblewrap that does not work, and says so`, () => {
    const cli = join(project, 'core/dist/cli/main.js')
    const build = `exec ${process.execPath} ${cli} build --rebuild-from compile/program`
    // The other engine, if there is one, is hidden too.
    const hidden = ['bwrap', engine === 'docker' ? 'podman' : 'none'].map(
      (name) => spawnSync('which', ['-a', name]).stdout,
    )
    const paths = hidden.flatMap((text) => String(text).split('\n')).filter((path) => path !== '')
    const script = `${paths.map((path) => `mount --bind /dev/null ${path} || exit 99`).join('; ')}; ${build}`
    const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script], {
      cwd: folder,
      env: { ...process.env, ...found.env, ZOS_STORE: join(folder, engine) },
      encoding: 'utf8',
    })
    if (/unshare failed/.test(stderr) || status === 99) {
      console.log(`skip ${engine} in place of bubblewrap: ${stderr.trim()}`)
      return
    }
    assert.is(status, 0, stdout + stderr)
    assert.match(stdout, new RegExp(`EXECUTOR_REPLACED[\\s\\S]*containers of ${engine}`))
    assert.ok(archive().equals(expected!), 'other bytes')
  })

  test(`a container of ${engine} that stays gives them too, and has a shell`, async () => {
    assert.match(succeeded(await zos(['container', 'start', '--executor', engine])), new RegExp(`runs \\(${engine}\\)`))
    rmSync(join(folder, 'dist'), { recursive: true })
    succeeded(await zos(['container', 'build', '--rebuild-from', 'compile/program']))
    assert.ok(archive().equals(expected!), 'other bytes')
    const shell = await zos(['container', 'shell', '--', 'sh', '-c', 'cc -v; ls /build /sys/class/net; exit 3'])
    assert.is(shell.end, 3, shell.stderr)
    assert.match(shell.stdout, /tcc version[\s\S]*\/build:\n\n\/sys\/class\/net:\nlo\n$/)
    succeeded(await zos(['container', 'stop']))
    const none = await zos(['container', 'build'])
    assert.match(none.stderr, /error CONTAINER_NONE[\s\S]*hint: zos container start/)
  })
}

test('where user namespaces are forbidden, the error names the ways out', () => {
  const cli = join(project, 'core/dist/cli/main.js')
  const script = `echo 0 >/proc/sys/user/max_user_namespaces && exec ${process.execPath} ${cli} build --executor bubblewrap`
  const { status, stdout, stderr } = spawnSync('unshare', ['--user', '--map-root-user', 'sh', '-c', script], {
    cwd: folder,
    env: { ...process.env, ZOS_STORE: join(folder, 'forbidden') },
    encoding: 'utf8',
  })
  if (/unshare failed|cannot create/.test(stderr)) {
    console.log(`skip where user namespaces are forbidden: ${stderr.trim()}`)
    return
  }
  assert.is(status, 6, stdout + stderr)
  assert.match(
    stderr + stdout,
    /error SANDBOX_UNAVAILABLE[\s\S]*user namespaces are forbidden[\s\S]*sysctl[\s\S]*--executor podman/,
  )
})

test.run()
