// The command lines of containers, as data.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Sandbox } from '../dist/exec/bubblewrap.js'
import { containerExec, containerRun, containerStart, containerUnavailable } from '../dist/exec/container.js'

const sandbox: Sandbox = {
  root: '/',
  mounts: [
    { from: '/opt/a, "b"', to: '/opt/tool', writable: false },
    { from: '/store/work', to: '/build', writable: true },
  ],
  workdir: '/build/src',
  env: { B: '2', A: '1' },
  command: ['make', '-j2', 'a b'],
  epoch: 77,
  network: false,
}
const container = { name: 'zos-1', image: 'localhost/t:1', user: { uid: 1000, gid: 1000, keepsId: false } }

const has = (args: readonly string[], ...parts: string[]): void => {
  const text = args.join(' ')
  for (const part of parts) assert.ok(text.includes(part), `no "${part}" in ${text}`)
}

test('a container sees what a sandbox sees, and no more', () => {
  for (const engine of ['podman', 'docker'] as const) {
    const { file, args } = containerRun(engine, container, sandbox)
    assert.is(file, engine)
    assert.equal(args.slice(0, 3), ['run', '--rm', '--interactive'])
    has(args, '--network none --read-only --cap-drop ALL --security-opt no-new-privileges', '--pull never')
    has(args, '--user 1000:1000', '--tmpfs /tmp:rw,exec', '--workdir /build/src', '--hostname zos')
    has(
      args,
      '--mount type=bind,source=/store/work,target=/build --mount type=bind,"source=/opt/a, ""b""",target=/opt/tool,readonly',
    )
    has(args, '--env A=1 --env B=2', '--env SOURCE_DATE_EPOCH=77', '--env HOME=/tmp/home')
    assert.equal(args.slice(-4), ['sh', 'make', '-j2', 'a b'])
    assert.is(args.includes('--ulimit'), engine === 'podman')
    assert.not.ok(args.includes('--tty'))
  }
})

test('without root podman keeps the user’s number, and docker needs no such thing', () => {
  const own = { ...container, user: { uid: 501, gid: 20, keepsId: true } }
  has(containerRun('podman', own, sandbox).args, '--user 501:20 --userns keep-id')
  assert.not.ok(containerRun('docker', own, sandbox).args.includes('--userns'))
})

test('a person’s shell has the terminal; any other command ends when zos does', () => {
  const script = (args: readonly string[]): string => args[args.indexOf('-c') + 1]!
  const watched = script(containerRun('podman', container, sandbox).args)
  assert.match(watched, 'kill -9 -1')
  const shell = containerRun('podman', container, { ...sandbox, isTerminal: true, hasInput: true }).args
  has(shell, '--interactive --tty')
  assert.not.match(script(shell), 'kill')
})

test('a container that stays takes commands, and forgets the files of the one before', () => {
  const { args } = containerStart('docker', container, { mounts: [sandbox.mounts[1]!], workdir: '/build' })
  assert.equal(args.slice(0, 3), ['run', '--rm', '--detach'])
  has(args, '--network none --read-only')
  const run = containerExec('docker', 'zos-1', sandbox).args
  assert.equal(run.slice(0, 4), ['exec', '--interactive', '--workdir', '/build/src'])
  assert.match(run[run.indexOf('-c') + 1]!, /^rm -rf \/tmp/)
  assert.equal(run.slice(-3), ['make', '-j2', 'a b'])
})

test('an engine that does not work says why, and what to do', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      /systemctl start/,
    ],
    ['permission denied while trying to connect to the Docker daemon socket', /usermod -aG docker/],
    ['Error: crun: cgroups in hybrid mode not supported', /runtime = "runc"/],
    ['no subuid ranges found for user', /add-subuids/],
    ['something else', /docker info/],
  ]
  for (const [said, hint] of cases) {
    const error = containerUnavailable('docker', `first\n${said}\n`)
    assert.is(error.code, 'CONTAINER_UNAVAILABLE')
    assert.ok(error.message.endsWith(said))
    assert.match(error.hint.join('\n'), hint)
  }
})

test.run()
