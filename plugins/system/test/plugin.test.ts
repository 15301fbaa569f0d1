import { spawnSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { osRelease, parseOsRelease } from '../dist/branding.js'
import { system } from '../dist/index.js'
import { sshdLines, withRootPassword } from '../dist/login.js'
import { run } from './taps.js'

const shadow = 'root:*::0:::::\nbin:!::0:::::\n'
const alpine = 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.1\nPRETTY_NAME="Alpine Linux v3.22"\n'
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@here'
const crypted = '$6$saltsalt$0123456789abcdef'

const failure = async (what: Promise<unknown>): Promise<string> =>
  what.then(
    () => 'nothing',
    (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
  )

test('hostname, issue and os-release say the image’s name; the base’s own file stays', async () => {
  const files = { '/etc/shadow': shadow, '/usr/lib/os-release': alpine, '/etc/issue': 'Welcome to Alpine' }
  const links = { '/etc/os-release': '../usr/lib/os-release' }
  const { text } = await run({ title: 'Zero-OS' }, { files, links })
  assert.is(text('/etc/hostname'), 'zero-os\n')
  assert.match(text('/etc/issue')!, /^Zero-OS /)
  assert.is(
    text('/etc/os-release'),
    'NAME="Zero-OS"\nID="zero-os"\nID_LIKE="alpine"\nVERSION_ID="3.22.1"\nPRETTY_NAME="Zero-OS (Alpine Linux v3.22)"\n',
  )
  assert.is(text('/usr/lib/os-release'), alpine)
  const without = await run({ branding: false }, { files, links })
  assert.is(without.text('/etc/issue'), 'Welcome to Alpine')
  assert.is(without.text('/etc/hostname'), undefined)
})

test('os-release is read as it was written', () => {
  const written = osRelease('A & B', { PRETTY_NAME: 'say "hi" $x' })
  assert.is(parseOsRelease(written).PRETTY_NAME, 'A & B (say "hi" $x)')
  assert.equal(parseOsRelease("# no\nID='x'\n=\nlower=1\n"), { ID: 'x' })
})

test('root’s password field is empty in debug, closed in release, and a hash where one is given', async () => {
  const rootOf = async (options: Parameters<typeof run>[0], mode: 'debug' | 'release') =>
    (await run(options, { files: { '/etc/shadow': shadow }, mode })).text('/etc/shadow')!.split('\n')[0]
  assert.is(await rootOf({}, 'debug'), 'root:::0:::::')
  assert.is(await rootOf({}, 'release'), 'root:*::0:::::')
  assert.is(await rootOf({ passwordlessRoot: true }, 'release'), 'root:::0:::::')
  assert.is(await rootOf({ passwordlessRoot: false }, 'debug'), 'root:*::0:::::')
  assert.is(await rootOf({ rootPassword: crypted }, 'debug'), `root:${crypted}::0:::::`)
  assert.is(withRootPassword(shadow, 'x').split('\n')[1], 'bin:!::0:::::')
  assert.match(await failure(run({}, {})), /^SYSTEM_SHADOW: the image has no/)
  assert.match(await failure(run({}, { files: { '/etc/shadow': 'bin:!\n' } })), /^SYSTEM_SHADOW: .* no line for root/)
})

test('an image that nobody could log in to is refused', async () => {
  const files = { '/etc/shadow': shadow }
  const login = async (options: Parameters<typeof run>[0], mode: 'debug' | 'release', project = {}) =>
    (await run(options, { files, mode, project })).said
  assert.equal(await login({}, 'debug'), [])
  assert.equal(await login({}, 'release'), ['SYSTEM_NO_LOGIN /etc/shadow'])
  assert.equal(await login({ passwordlessRoot: false }, 'debug'), ['SYSTEM_NO_LOGIN /etc/shadow'])
  assert.equal(await login({ rootPassword: crypted }, 'release'), [])
  assert.equal(await login({ authorizedKeys: [key] }, 'release'), [])
  assert.equal(await login({ authorizedKeys: 'keys' }, 'release', { keys: `# me\n${key}\n` }), [])
})

test('public keys go where sshd looks, closed to others; other lines are refused', async () => {
  const files = { '/etc/shadow': shadow }
  const { tree, text } = await run({ authorizedKeys: [key, ''] }, { files })
  assert.is(text('/root/.ssh/authorized_keys'), `${key}\n`)
  assert.equal(
    ['/root', '/root/.ssh', '/root/.ssh/authorized_keys'].map((path) => tree.get(path)?.mode.toString(8)),
    ['700', '700', '600'],
  )
  const project = { keys: '# me\n-----BEGIN OPENSSH PRIVATE KEY-----\n' }
  assert.is(
    await failure(run({ authorizedKeys: 'keys' }, { files, project })),
    'SYSTEM_PUBLIC_KEY: keys: line 2 is no public key',
  )
})

test('sshd takes keys; passwords only where there is one, and none only where it is said', () => {
  assert.match(
    sshdLines({}, true),
    /^PermitRootLogin prohibit-password\nPasswordAuthentication no\nPermitEmptyPasswords no\n$/,
  )
  assert.match(sshdLines({ sshEmptyPassword: true }, true), /PermitRootLogin yes\n.*PermitEmptyPasswords yes/s)
  assert.match(sshdLines({ sshEmptyPassword: true }, false), /prohibit-password\n.*PermitEmptyPasswords no/s)
  assert.match(sshdLines({ rootPassword: crypted }, false), /PasswordAuthentication yes\nPermitEmptyPasswords no/)
})

test('an sshd that would not read its part is told', async () => {
  const image = (config: string) => ({ files: { '/etc/shadow': shadow, '/etc/ssh/sshd_config': config } })
  assert.equal((await run({}, image('Include /etc/ssh/sshd_config.d/*.conf\n'))).said, [])
  assert.equal((await run({}, image('# Include /etc/ssh/sshd_config.d/*.conf\n'))).said, [
    'SYSTEM_SSHD_INCLUDE /etc/ssh/sshd_config',
  ])
  assert.is((await run({}, { files: { '/etc/shadow': shadow } })).text('/etc/ssh/sshd_config.d/50-zos.conf'), undefined)
})

test('files are injected at boot by debug images only', async () => {
  const files = { '/etc/shadow': 'root:::\n' }
  const project = { 'config/inject.sh': '#!/bin/sh\n' }
  const options = { debugInjection: 'config/inject.sh', passwordlessRoot: true }
  const debug = await run(options, { files, project })
  assert.is(debug.tree.get('/etc/zos/debug-inject.sh')?.mode, 0o755)
  assert.equal(debug.said, [])
  const release = await run(options, { files, project, mode: 'release' })
  assert.is(release.tree.get('/etc/zos/debug-inject.sh'), undefined)
  assert.equal(release.said, [])
  const smuggled = { ...files, '/etc/zos/debug-inject.sh': 'x', '/init': 'grep -q zos.debug=1 /proc/cmdline' }
  assert.equal((await run(options, { files: smuggled, project, mode: 'release' })).said, [
    'SYSTEM_DEBUG_INJECTION /etc/zos/debug-inject.sh',
    'SYSTEM_DEBUG_INJECTION /init',
  ])
})

test('a private key is found by what it is, wherever it lies', async () => {
  const body = 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB'
  const pem = (kind: string) => `-----BEGIN ${kind}PRIVATE KEY-----\n${body}\n`
  const files = {
    '/etc/shadow': 'root:::\n',
    '/etc/ssl/private/a': pem('OPENSSH '),
    '/root/notes.txt': `x\n${pem('')}`,
    '/var/lib/app/tls': pem('RSA '),
    '/etc/ssl/cert.pem': '-----BEGIN CERTIFICATE-----\n',
    '/etc/doc': 'a file begins with -----BEGIN PRIVATE KEY----- and so on',
  }
  assert.equal((await run({}, { files })).said, [
    'SYSTEM_PRIVATE_KEY /etc/ssl/private/a',
    'SYSTEM_PRIVATE_KEY /root/notes.txt',
    'SYSTEM_PRIVATE_KEY /var/lib/app/tls',
  ])
})

test('what no machine needs is removed; licences and what is kept stay', async () => {
  const files = {
    '/usr/bin/a': 'a',
    '/usr/share/doc/a/README': 'xxxx',
    '/usr/share/doc/a/copyright': 'x',
    '/usr/share/man/man1/a.1': 'x',
    '/usr/share/locale/de/a.mo': 'x',
    '/usr/share/locale/en/a.mo': 'x',
    '/usr/include/a.h': 'x',
    '/usr/lib/liba.a': 'x',
    '/usr/lib/x/y/libb.la': 'x',
    '/usr/lib/liba.so': 'x',
    '/var/cache/apk/APKINDEX': 'x',
    '/opt/big': 'x',
  }
  const only = ['optimize cleanup']
  const { paths, tree, explained } = await run(
    { cleanup: { remove: ['/opt'], keep: ['/usr/share/locale/en'] } },
    { files },
    only,
  )
  assert.equal(paths, ['/usr/bin/a', '/usr/lib/liba.so', '/usr/share/doc/a/copyright', '/usr/share/locale/en/a.mo'])
  assert.is(tree.get('/usr/share/man'), undefined)
  assert.is(tree.get('/var/cache/apk')?.kind, 'directory')
  assert.match(explained.join(), /^\d+ files and folders, 0\.0 MB$/)
  assert.is((await run({ cleanup: false }, { files }, only)).paths.length, Object.keys(files).length)
})

/** A program of this machine with everything it is linked with. */
const program = '/bin/sh'
const linkedWith = (): string[] =>
  [...spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!)

test('a program finds its loader and its libraries in the image, or is named', async () => {
  const libraries = linkedWith()
  if (libraries.length < 2) return console.log(`skip libraries: ${program} of this machine is not dynamic`)
  const only = ['check libraries']
  const files = Object.fromEntries([program, ...libraries].map((path) => [path, readFileSync(realpathSync(path))]))
  assert.equal((await run({}, { files }, only)).said, [])
  const libc = libraries.find((path) => path.includes('/libc.so'))!
  const { [libc]: _, ...without } = files
  assert.equal((await run({}, { files: without }, only)).said, [`SYSTEM_NO_LIBRARY ${program}`])
  const { findings } = await run({}, { files: { [program]: files[program]!, '/usr/bin/script': '#!/bin/sh\n' } }, only)
  assert.equal(
    findings.map(({ code }) => code),
    ['SYSTEM_NO_LOADER', 'SYSTEM_NO_LIBRARY'],
  )
  assert.match(findings[0]!.message, /^is started by \/lib/)
  assert.equal((await run({ unlinked: [program] }, { files: { [program]: files[program]! } }, only)).said, [])
})

test('options are checked', () => {
  const schema = system({}).definition.options
  const issues = (options: unknown) => (v.safeParse(schema, options).issues ?? []).map(({ message }) => message)
  assert.equal(issues({ title: 'Zero-OS', hostname: 'zero-os', cleanup: { keep: ['/usr/share/man/**'] } }), [])
  assert.match(issues({ rootPassword: 'secret' }).join(), /expected what crypt\(3\) gives/)
  assert.match(issues({ rootPassword: crypted, passwordlessRoot: true }).join(), /a password or none/)
  assert.match(issues({ hostname: 'Zero OS' }).join(), /expected a hostname/)
  assert.match(issues({ cleanup: { keep: ['usr'] } }).join(), /begins with \//)
})

test.run()
