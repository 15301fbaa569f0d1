// time limit: 240 s
// What differs between builds, images and locks; where the time goes; what shells complete.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { installedPackages, kernelOptions, packageKey } from '../dist/diff/packages.js'
import type { TreeRecord } from '../dist/model/entry.js'
import { lineChanges } from '../dist/report/line-changes.js'
import { answersProject } from './answers.js'
import { collect, MemoryBlobs } from './archive-fixtures.js'

const project = answersProject()
const said = async (...words: string[]): Promise<string> => {
  const { code, out, err } = await project.run(words)
  assert.is(code, 0, `${words.join(' ')}: ${out}${err}`)
  return out
}
// biome-ignore lint/suspicious/noExplicitAny: answers of several shapes; each test knows the one that it looks at.
const told = async (...words: string[]): Promise<any> => JSON.parse(await said(...words, '--json'))

test('two builds: files with modes and lines, packages, outputs', async () => {
  assert.match((await project.run(['diff'])).err, /^error DIFF_WHAT\n {2}@1: no build of this config is kept here\n/)
  await project.quick()
  cpSync(project.path('dist'), project.path('old'), { recursive: true })
  cpSync(project.path('zos.lock'), project.path('old.lock'))
  project.edit('config/unit.yaml', 'exec: sshd', 'exec: sshd -D')
  await project.quick()
  const text = await said('diff')
  assert.match(text, /^@1 \(.* UTC\) → @0 \(.* UTC\)\noutputs \(3\)\n {2}image\.bin +[0-9a-f]{8}… → [0-9a-f]{8}…\n/)
  assert.match(text, /\nfiles \(1\)\n {2}\/etc\/unit {2}\d+ B → \d+ B\n {4}line 1: EXEC: SSHD → EXEC: SSHD -D\n$/)
  assert.match(await said('diff', '@0', '@0'), /\nno difference\n$/)
  const { same, files, packages } = await told('diff', '@1', '@0')
  assert.equal([same, files.length, files[0].change, packages], [false, 1, 'content', []])
})

test('output folders, images and locks, without a config', async () => {
  const folders = await told('diff', 'old', 'dist')
  assert.equal(
    folders.files.map(({ path }: { path: string }) => path),
    ['/etc/unit'],
  )
  assert.match(await said('diff', 'old', 'dist'), /line 1: EXEC: SSHD → EXEC: SSHD -D/)
  const images = await told('diff', 'old/initramfs.cpio.xz', 'dist/image.bin')
  assert.equal(images.files, folders.files)
  assert.match(await said('diff', 'old.lock', 'zos.lock'), /\nno difference\n$/)
  project.write({ 'new.lock': project.text('zos.lock').replace(/"epoch": \d+/, '"epoch": 7') })
  assert.match(await said('diff', 'old.lock', 'new.lock'), /\nlock \(1\)\n {2}epoch: \d+ → 7\n$/)
  const refused = await project.run(['diff', 'old', 'config/unit.yaml'])
  assert.match(
    refused.err,
    /^error DIFF_WHAT\n {2}config\/unit\.yaml: neither a lock, nor an output folder, nor an archive/,
  )
})

test('archives of equal records but other times, order or numbers are not called equal', async () => {
  const { cpioPlan } = await import('../dist/format/cpio.js')
  const { writePieces } = await import('../dist/format/archive-piece.js')
  const blobs = new MemoryBlobs()
  const records = ['/a', '/b'].map(
    (path): TreeRecord => ({ path, kind: 'file', mode: 0o644, uid: 0, gid: 0, blob: blobs.add(path) }),
  )
  const write = async (name: string, list: readonly TreeRecord[], epoch: number): Promise<void> =>
    writeFileSync(project.path(name), await collect(writePieces(cpioPlan(list, { epoch }), blobs)))
  await write('one.cpio', records, 1_700_000_000)
  await write('later.cpio', records, 1_800_000_000)
  await write('turned.cpio', records.toReversed(), 1_700_000_000)
  cpSync(project.path('one.cpio'), project.path('same.cpio'))
  assert.match(await said('diff', 'one.cpio', 'same.cpio'), /\nno difference\n$/)
  const later = await told('diff', 'one.cpio', 'later.cpio')
  assert.equal([later.same, later.files, later.outputs.length], [false, [], 2])
  assert.equal(later.outputs[0], {
    name: 'newest time in the archive',
    before: '2023-11-14T22:13:20Z',
    after: '2027-01-15T08:00:00Z',
  })
  const turned = await told('diff', 'one.cpio', 'turned.cpio')
  assert.equal([turned.same, turned.outputs.map(({ name }: { name: string }) => name)], [false, ['unpacked archive']])
})

test('databases of packages and configs of kernels', () => {
  const dpkg = 'Package: kmod\nStatus: install ok installed\nVersion: 30-1\n\nPackage: libc6\nVersion: 2.36\n'
  assert.equal(installedPackages('/var/lib/dpkg/status', dpkg), { 'deb/kmod': '30-1', 'deb/libc6': '2.36' })
  assert.equal(installedPackages('/lib/apk/db/installed', 'C:Q1\nP:kmod\nV:33-r2\n\nP:musl\nV:1.2\n\n'), {
    'apk/kmod': '33-r2',
    'apk/musl': '1.2',
  })
  const config = Array.from({ length: 12 }, (_, index) => `CONFIG_A${index}=y`).join('\n')
  assert.equal(kernelOptions(`# x\n${config}\n# CONFIG_B is not set\n`)?.CONFIG_A3, 'y')
  assert.is(kernelOptions('CONFIG_A=y\n'), undefined)
  assert.is(packageKey('pkg:deb/debian/kmod@30-1?arch=amd64'), 'deb/debian/kmod?arch=amd64')
})

test('changes of lines name each line that is not in both, and nothing where both are one', () => {
  assert.equal(lineChanges('a\nb\nc', 'a\nB\nc'), [{ line: 2, before: 'b', after: 'B' }])
  assert.equal(lineChanges('a\nc', 'a\nb\nc'), [{ line: 2, after: 'b' }])
  assert.equal(lineChanges('a\nb\nc', 'a\nc'), [{ line: 2, before: 'b' }])
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 8 }).map((list) => list.join('\n'))
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const changes = lineChanges(before, after)
      if (before === after) assert.equal(changes, [])
      for (const line of after.split('\n').filter((one) => !before.split('\n').includes(one)))
        assert.ok(
          changes.some((change) => change.after === line),
          `${line} of ${JSON.stringify([before, after])}`,
        )
      for (const line of before.split('\n').filter((one) => !after.split('\n').includes(one)))
        assert.ok(
          changes.some((change) => change.before === line),
          `${line} of ${JSON.stringify([before, after])}`,
        )
    }),
  )
})

test('a trace has every phase, step and command, each within its time', async () => {
  await said('build', '--force-rebuild', '--trace', 'trace.json')
  const { traceEvents } = JSON.parse(project.text('trace.json'))
  // biome-ignore lint/suspicious/noExplicitAny: events as the format has them.
  const named = (cat: string): string[] => traceEvents.flatMap((one: any) => (one.cat === cat ? [one.name] : []))
  for (const phase of ['start of zos', 'resolve', 'build', 'pack']) assert.ok(named('phase').includes(phase), phase)
  assert.ok(named('build').includes('demo/tool') && named('pack').includes('image.bin'))
  assert.ok(named('action').includes('demo/tool: make tool'))
  for (const { ph, ts, dur } of traceEvents) if (ph === 'X') assert.ok(ts >= 0 && dur >= 0)
  assert.match((await project.run(['build', '--trace', 'no/such/folder.json'])).err, /error TRACE_WRITE\n/)
})

const has = (program: string): boolean => spawnSync(program, ['-c', 'true']).status === 0

test('bash completes commands, options, values and steps', async () => {
  project.write({ 'completions.bash': await said('completions', 'bash') })
  const completed = (...words: string[]): string[] => {
    const quoted = words.map((word) => `'${word}'`).join(' ')
    const script = `source completions.bash; zos() { '${process.execPath}' '${project.root}/node_modules/@zos/core/dist/cli/main.js' "$@"; }
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _zos; printf '%s\\n' "\${COMPREPLY[@]}"`
    // The store is the project's own, whatever the tester's environment names.
    const env = { ...process.env, ZOS_STORE: '' }
    return execFileSync('bash', ['-c', script], { cwd: project.root, encoding: 'utf8', env }).trim().split('\n')
  }
  assert.equal(completed('zos', 'expl'), ['explain'])
  assert.equal(completed('zos', 'build', '--tr'), ['--trace'])
  assert.equal(completed('zos', 'graph', '--format', 's'), ['svg'])
  assert.equal(completed('zos', 'explain', 'demo/t'), ['demo/tool', 'demo/trim'])
  assert.equal(completed('zos', 'completions', 'z'), ['zsh'])
})

test('other shells take theirs', async () => {
  for (const shell of ['zsh', 'fish']) {
    project.write({ [`completions.${shell}`]: await said('completions', shell) })
    if (has(shell)) execFileSync(shell, ['-n', project.path(`completions.${shell}`)])
    else console.log(`skip syntax of ${shell}: ${shell} is not installed`)
    assert.match(readFileSync(project.path(`completions.${shell}`), 'utf8'), /explain/)
  }
  assert.match((await project.run(['completions', 'fsh'])).err, /did you mean "?fish"?/)
})

test.run()
