import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  bubblewrapCommand,
  mountPoints,
  probeSandbox,
  type Sandbox,
  sandboxUnavailable,
} from '../dist/exec/bubblewrap.js'
import { probeBubblewrap } from '../dist/exec/bubblewrap-probe.js'
import { type Command, runProcess } from '../dist/io/process.js'

const sandbox = (more: Partial<Sandbox>): Sandbox => ({ ...probeSandbox, workdir: '/build', ...more })
const output = async (command: Command): Promise<string> =>
  (await runProcess({ ...command, cwd: '/' })).stdout.toString().trim()

test('the command line says all, in an order that does not depend on how it was asked for', () => {
  const mounts = [
    { from: '/h/b', to: '/build/src', writable: false },
    { from: '/h/a', to: '/build', writable: true },
  ]
  const { file, args } = bubblewrapCommand(
    sandbox({ mounts, command: ['make', '-j2'], env: { B: '2', A: '1', LANG: 'de_DE' }, epoch: 77 }),
  )
  assert.is(file, 'bwrap')
  assert.equal(
    args,
    bubblewrapCommand(
      sandbox({
        mounts: mounts.toReversed(),
        command: ['make', '-j2'],
        env: { LANG: 'de_DE', A: '1', B: '2' },
        epoch: 77,
      }),
    ).args,
  )
  const text = args.join(' ')
  for (const part of [
    '--unshare-all --unshare-user --die-with-parent --new-session',
    '--ro-bind-try /usr /usr',
    '--bind /h/a /build --ro-bind /h/b /build/src',
    '--clearenv --setenv A 1 --setenv B 2 --setenv HOME /tmp/home --setenv LANG de_DE',
    '--setenv SOURCE_DATE_EPOCH 77',
    '--chdir /build --',
  ]) {
    assert.match(text, part)
  }
  assert.equal(args.slice(-2), ['make', '-j2'])
  assert.not.match(text, '--share-net')
})

test('a folder as root is bound whole, and says which mount points it has to have', () => {
  const own = sandbox({
    root: '/store/root',
    mounts: [
      { from: '/h/a', to: '/build', writable: true },
      { from: '/h/c', to: '/tmp/cache', writable: true },
      { from: '/h/t', to: '/opt/tool', writable: false },
    ],
  })
  assert.match(bubblewrapCommand(own).args.join(' '), '--ro-bind /store/root / --proc /proc')
  assert.not.match(bubblewrapCommand(own).args.join(' '), '--ro-bind-try')
  assert.equal(mountPoints(own), ['/build', '/dev', '/opt/tool', '/proc', '/tmp'])
  assert.equal(mountPoints({ ...own, root: 'host' }), [])
})

test('mounts that would hide what the sandbox needs are refused', () => {
  const refused = (from: string, to: string): void =>
    assert.throws(() => bubblewrapCommand(sandbox({ mounts: [{ from, to, writable: false }] })), /cannot be shown as/)
  refused('/a', '/')
  refused('/a', '/proc/self')
  refused('/a', '/dev')
  refused('/a', '/build/../usr')
  refused('/a', 'build')
  refused('relative', '/build')
  const twice = ['/a', '/b'].map((from) => ({ from, to: '/build', writable: true }))
  assert.throws(() => bubblewrapCommand(sandbox({ mounts: twice })), /both \/a and \/b/)
})

test('a probe that fails says what to do', () => {
  const of = (stderr: string) => sandboxUnavailable(stderr)
  for (const stderr of [
    'bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.',
    'bwrap: setting up uid map: Permission denied',
    'bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted',
  ]) {
    assert.is(of(stderr).code, 'SANDBOX_UNAVAILABLE')
    assert.match(of(stderr).message, 'user namespaces are forbidden')
    assert.match(of(stderr).hint.join('\n'), 'apparmor_restrict_unprivileged_userns')
  }
  assert.match(of("bwrap: Can't mount proc on /newroot/proc: Operation not permitted").hint.join(), 'systempaths')
  assert.match(of('bwrap: something new').message, 'it failed\nbwrap: something new')
})

const inside = `
  echo "user $(id -u) $(id -g) $(hostname) $(umask) $(pwd)"
  echo "net $(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' \\n')"
  echo "pids $(ls -d /proc/[0-9]* | wc -l)"
  touch /usr/x 2>/dev/null && echo "usr is writable"
  touch /x 2>/dev/null && echo "root is writable"
  touch /build/in/x 2>/dev/null && echo "input is writable"
  ls -d /home /root /var /sys 2>/dev/null
  mkdir -p "$HOME/.cache" && touch /tmp/own /dev/shm/x && echo "tmp ok"
  echo made > out && env | grep -v ^_= | sort
`
const expected = [
  'user 1000 1000 zos 0022 /build',
  'net lo',
  'tmp ok',
  'EXTRA=1',
  'HOME=/tmp/home',
  'LANG=C.UTF-8',
  'LOGNAME=zos',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'PWD=/build',
  'SOURCE_DATE_EPOCH=5',
  'TMPDIR=/tmp',
  'TZ=UTC',
  'USER=zos',
]

/** Runs a sandbox for real; `as` puts words before it, to become another user. */
const tryOut = async (root: string, folder: string, as: readonly string[]): Promise<void> => {
  mkdirSync(join(folder, 'in'), { recursive: true })
  for (const path of [folder, join(folder, 'in')]) chmodSync(path, 0o777)
  const host = ['/usr'].map((path) => ({ from: path, to: path, writable: false }))
  const { file, args, env } = bubblewrapCommand(
    sandbox({
      root,
      mounts: [
        ...(root === 'host' ? [] : host),
        { from: folder, to: '/build', writable: true },
        { from: join(folder, 'in'), to: '/build/in', writable: false },
      ],
      env: { EXTRA: '1' },
      epoch: 5,
      command: ['sh', '-c', inside],
    }),
  )
  const [first = file, ...rest] = [...as, file, ...args]
  const umask = process.umask(0o077)
  try {
    const lines = (await output({ file: first, args: rest, env })).split('\n')
    assert.equal(
      lines.filter((line) => !line.startsWith('pids ') && !/^(SHLVL|OLDPWD)=/.test(line)),
      expected,
    )
    assert.ok(Number(lines.find((line) => line.startsWith('pids '))?.slice(5)) < 8)
  } finally {
    process.umask(umask)
  }
  const made = statSync(join(folder, 'out'))
  assert.is(made.mode & 0o777, 0o644)
  assert.is(readFileSync(join(folder, 'out'), 'utf8'), 'made\n')
}

const probe = await probeBubblewrap()
if (!probe.usable) {
  console.log(`skip bubblewrap for real: ${probe.error.message.replaceAll('\n', ': ')}`)
} else {
  const base = mkdtempSync(join(tmpdir(), 'zos-bubblewrap-'))
  chmodSync(base, 0o755)
  test.after(() => rmSync(base, { recursive: true }))

  test('a command sees its inputs, and nothing of the machine', () => tryOut('host', join(base, 'host'), []))

  test('a folder as root', async () => {
    const root = join(base, 'root')
    for (const path of ['/usr', '/build', '/proc', '/dev', '/tmp']) mkdirSync(join(root, path), { recursive: true })
    for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name))
    await tryOut(root, join(base, 'own'), [])
  })

  if (process.getuid?.() === 0) {
    test('as an ordinary user', () => {
      const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups']
      return tryOut('host', join(base, 'user'), ['setpriv', ...nobody])
    })
  } else console.log('skip bubblewrap as another user: the tests do not run as root')

  test('a machine that forbids user namespaces is recognised', async () => {
    const module = new URL('../dist/exec/bubblewrap-probe.js', import.meta.url).href
    const script = `import { probeBubblewrap } from '${module}'
      const probe = await probeBubblewrap()
      console.log(probe.usable, probe.error?.code, probe.error?.message)`
    const forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    const text = await output({
      file: 'unshare',
      args: ['-Ur', 'sh', '-c', forbid, 'sh', process.execPath, '--input-type=module', '-e', script],
      env: { PATH: '/usr/bin:/bin' },
    })
    assert.match(
      text,
      /^false SANDBOX_UNAVAILABLE bubblewrap cannot make a sandbox here: user namespaces are forbidden/,
    )
  })

  test('what runs in a sandbox dies with zos, even by KILL', async () => {
    const folder = join(base, 'killed')
    mkdirSync(folder)
    const command = bubblewrapCommand(
      sandbox({
        mounts: [{ from: folder, to: '/build', writable: true }],
        command: ['sh', '-c', 'trap "" TERM HUP INT; while :; do echo >> beat; sleep 0.02; done'],
      }),
    )
    const module = new URL('../dist/io/process.js', import.meta.url).href
    const script = `import { runProcess } from '${module}'
      await runProcess({ ...${JSON.stringify(command)}, cwd: '/' })`
    const zos = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
    const beats = (): number => statSync(join(folder, 'beat'), { throwIfNoEntry: false })?.size ?? 0
    for (let tries = 0; tries < 200 && beats() < 3; tries++) await sleep(20)
    assert.ok(beats() >= 3)
    zos.kill('SIGKILL')
    await sleep(200)
    const last = beats()
    await sleep(200)
    assert.is(beats(), last)
  })
}

test.run()
