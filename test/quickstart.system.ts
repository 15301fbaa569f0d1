// time limit: 2700 s
// The quickstart as people meet it: built, booted both ways, logged in to, built again, changed.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { copyStore } from './quickstart-project.js'
import {
  type Build,
  build,
  expectRan,
  outputOf,
  project,
  ranIn,
  start,
  startZos,
  storeOf,
  succeed,
  zos,
} from './zos.js'

const config = 'variants/quickstart.config.ts'
const output = 'dist/quickstart'
/** Seconds: a build that compiles everything; one that finds everything in the store; a boot; a command by ssh. */
const limits = { build: 1800, again: 120, boot: 120, ssh: 60 }

const folder = mkdtempSync(join(tmpdir(), 'zos-quickstart-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

let first: Build | undefined
const built = (): Build => {
  assert.ok(first, 'the quickstart was not built')
  return first
}

test('zos build makes kernel, initramfs and vmlinuz.efi', async () => {
  first = await build(config, project, limits.build)
  for (const { name, size } of first.manifest.outputs)
    assert.is(readFileSync(join(project, output, name)).length, size, name)
  assert.is(outputOf(first, 'uki').name, 'vmlinuz.efi')
  assert.is(outputOf(first, 'uki').facts?.release, outputOf(first, 'kernel').facts?.release)
})

test('a second build runs nothing', async () => {
  const second = await build(config, project, limits.again)
  expectRan(second, [])
  assert.is(second.steps.length, built().steps.length)
  assert.equal(second.manifest, built().manifest)
  const { stdout } = await zos(['build', '-c', config], project, limits.again)
  assert.match(stdout, /^quickstart: up to date, \d+ steps from the store, .* → dist\/quickstart\/$/m)
})

test('published to a folder, every block of its flists is there and authentic', async () => {
  const flists = built().manifest.outputs.filter(({ name }) => name.endsWith('.fl'))
  await zos(['publish', '-c', config], project, limits.again)
  const store = `dir://${join(project, output, 'published/blobs')}`
  const paths = flists.map(({ name }) => join(project, output, name))
  const { stdout } = await zos(['flist', 'verify', '-s', store, ...paths], project, limits.again)
  assert.is(stdout.match(/all blocks are there and authentic/g)?.length, 2, stdout)
})

/** A copy of the project, with a copy of its store, so that neither the checkout nor its history sees the changes. */
const copyOf = (): string => {
  const copy = join(folder, 'project')
  mkdirSync(join(copy, 'config'), { recursive: true })
  for (const path of ['package.json', 'config/quickstart', 'plugins/zosstorage/crate', 'variants'])
    cpSync(join(project, path), join(copy, path), { recursive: true })
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'))
  copyStore(storeOf(copy))
  return copy
}

test('a copy of the project elsewhere has the same bytes, and a changed unit builds only what follows from it', async () => {
  built()
  const copy = copyOf()
  const again = () => build(config, copy, limits.again, '--offline')
  const sums = ({ manifest }: Build) => manifest.outputs.map(({ name, sha256 }) => `${sha256} ${name}`)

  const same = await again()
  expectRan(same, [])
  assert.equal(sums(same), sums(built()))

  const unit = join(copy, 'config/quickstart/zinit/sshd.yaml')
  const text = readFileSync(unit, 'utf8')
  writeFileSync(unit, `# Another comment.\n${text}`)
  const comment = await again()
  expectRan(comment, ['assemble zinit/units'], 'check')
  assert.equal(sums(comment), sums(built()))

  assert.match(text, 'dropbear -F')
  // Another idle time on each run: the store remembers the edit of the one before.
  writeFileSync(unit, text.replace('dropbear -F', `dropbear -I ${86_400 + (Date.now() % 1_000_000)} -F`))
  const changed = await again()
  const initramfs = outputOf(changed, 'initramfs').name
  expectRan(changed, ['assemble zinit/units', `pack ${initramfs}`, 'pack vmlinuz.efi'], 'check')
  assert.not.ok(ranIn(changed).includes('check kernel/modules'))
  const why = (name: string) =>
    changed.steps.find(({ step, state }) => step === name && state === 'ran')!.why.join('; ')
  assert.match(why('zinit/units'), /^config\/quickstart\/zinit.* changed/)
  assert.match(why(initramfs), /zinit\/units; 1 of \d+ blocks: /)
  assert.match(why('vmlinuz.efi'), /^initramfs.* changed/)
  assert.is(outputOf(changed, 'kernel').sha256, outputOf(built(), 'kernel').sha256)
  assert.is.not(outputOf(changed, 'uki').sha256, outputOf(built(), 'uki').sha256)
})

/** A private key as text, and one as dropbear writes it: type and key, each after its length. */
const privateKeys = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n[A-Za-z0-9+/]{32}/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: lengths as dropbear writes them
  /\0\0\0\x0bssh-ed25519\0\0\0\x40|\0\0\0\x07ssh-rsa\0\0\0[\x01-\x04]/,
]

test('nobody’s key is in the image, neither by name nor by content', async () => {
  const { name } = outputOf(built(), 'initramfs')
  const archive = join(folder, 'initramfs.cpio')
  await succeed('sh', ['-c', 'xz -dc "$1" >"$2"', 'sh', join(project, output, name), archive], folder, limits.again)
  const { stdout } = await succeed('sh', ['-c', 'cpio -t --quiet <"$1"', 'sh', archive], folder, limits.again)
  const paths = stdout.split('\n')
  assert.ok(paths.some((path) => basename(path) === 'sshd-setup.sh'))
  const keyFiles = paths.filter((path) => /(^|\/)(ssh_host_\w*_key|\w*host_key|id_\w+|authorized_keys)$/.test(path))
  assert.equal(keyFiles, [])

  const content = readFileSync(archive).toString('latin1')
  for (const key of privateKeys) assert.not.ok(key.test(content), `something in ${name} matches ${key}`)
  const key = join(folder, 'key')
  await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key], folder, limits.ssh)
  assert.ok(privateKeys.some((one) => one.test(readFileSync(key, 'latin1'))))
})

const ready = /^zos: ready after \d+\.\d s, zinit-pid1 is PID 1, eth0 has 10\.0\.2\.15\/24$/m
const consoleText = (): string => {
  const path = join(project, output, 'vm/console.log')
  return existsSync(path) ? readFileSync(path, 'utf8').replaceAll('\r', '') : ''
}

/** Modules that `modules.conf` names for a stage. */
const modulesOf = (stage: string): string[] =>
  readFileSync(join(project, 'config/quickstart/modules.conf'), 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith(`${stage}:`) ? [line.slice(stage.length + 1).trim()] : []))

/** Asks the machine several things at once; answers by command. */
const ask = async (ssh: readonly string[], commands: readonly string[]): Promise<string[]> => {
  const script = commands.map((command) => `${command}; echo '==='`).join('\n')
  const { stdout } = await succeed(ssh[0]!, [...ssh.slice(1), script], folder, limits.ssh)
  return stdout.split('===\n').map((answer) => answer.trim())
}

const until = async (holds: () => boolean, seconds: number): Promise<boolean> => {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    if (holds()) return true
    await new Promise((wake) => setTimeout(wake, 100))
  }
  return false
}

for (const [way, flags] of [
  ['kernel and initramfs', []],
  ['vmlinuz.efi under UEFI firmware', ['--efi']],
] as const) {
  const run = ['run', '-c', config, ...flags, '--timeout', String(limits.boot)]

  test(`zos run --expect boots it by ${way} until it is ready`, async () => {
    built()
    const { stderr } = await zos([...run, '--expect', 'zos: ready'], project, limits.boot + 10)
    assert.match(consoleText(), ready)
    assert.match(stderr, /^ssh -i \S+ .*-p \d+ .*root@127\.0\.0\.1$/m)
    assert.match(stderr, /^found "zos: ready" after \d+\.\d s/m)
  })

  test(`booted by ${way} it can be logged in to, and poweroff ends it`, async () => {
    const { release } = outputOf(built(), 'kernel').facts!
    rmSync(join(project, output, 'vm/console.log'), { force: true })
    const machine = startZos([...run, '--json'], project, limits.boot + 10)
    const { ssh } = JSON.parse(await machine.firstLine) as { ssh: string[] }
    assert.ok(await until(() => ready.test(consoleText()), limits.boot), `not ready:\n${consoleText()}`)

    const [uname, comm, loaded = '', builtIn = '', units = '', keys = '', mode] = await ask(ssh, [
      'uname -r',
      'cat /proc/1/comm',
      'cat /proc/modules',
      `cat /lib/modules/$(uname -r)/modules.builtin`,
      'zinit list',
      'cat /root/.ssh/authorized_keys',
      'stat -c %a /root/.ssh/authorized_keys',
    ])
    assert.is(uname, release)
    assert.is(comm, 'zinit-pid1')
    const names = new Set([
      ...loaded.split('\n').map((line) => line.split(' ')[0]!),
      ...builtIn.split('\n').map((path) => basename(path, '.ko').replaceAll('-', '_')),
    ])
    const wanted = modulesOf('stage1')
    assert.ok(wanted.length > 0)
    assert.equal(
      wanted.filter((name) => !names.has(name)),
      [],
    )
    assert.match(units, /\bsshd +Running\b/)
    assert.match(units, /\bdhcp +Running\b/)
    assert.is(`${keys}\n`, readFileSync(join(project, output, 'vm/ssh_key.pub'), 'utf8'))
    assert.is(mode, '600')

    // The machine may be gone before the command's end has been told.
    await start(ssh[0]!, [...ssh.slice(1), 'zinit poweroff'], folder, limits.ssh).ended
    const { end, stdout, stderr } = await machine.ended
    assert.is(end, 0, stdout + stderr)
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
    assert.equal({ event: last.event, by: last.by }, { event: 'end', by: 'itself' })
    assert.match(consoleText(), /reboot: Power down/)
    assert.not.match(consoleText(), /Kernel panic/)
  })
}

test.run()
