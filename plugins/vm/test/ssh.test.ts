import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExitCode, isZosError, ZosError } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loginOf, publicKeys, shellText, sshCommand } from '../dist/ssh.js'
import { contextOf, type World } from './context.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-ssh-'))
mkdirSync(join(folder, 'vm'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)
const loginIn = (world: Partial<World>, file?: string) => loginOf(contextOf({ folder, ...world }).ctx, file)
const hasKeygen = spawnSync('ssh-keygen', ['--help']).error === undefined
const skip = (name: string): void => console.log(`skip ${name}: openssh-client is not installed`)

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKQ9IRX9Nlx6sELSmXZngNr9MLSgq8tehqMhfOd5/weC me@home'
const refused = (text: string): string => {
  try {
    return publicKeys(text, 'k.pub')
  } catch (error) {
    if (isZosError(error)) return `${error.code} ${error.message}`
    throw error
  }
}

test('public keys are taken line by line, and nothing else is', () => {
  const old = 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB'
  assert.is(publicKeys(`# mine\n${key}\r\n\n${old}`, 'k.pub'), `${key}\n${old}\n`)
  assert.is(refused(`${key}\nssh-ed25519\n`), 'VM_SSH_KEY k.pub: line 2 is no public key')
  assert.is(refused('# nobody\n'), 'VM_SSH_KEY k.pub: there is no public key in it')
  assert.is(refused(`${key}\n`.repeat(1000)), 'VM_SSH_KEY k.pub: more than 65536 characters')
  assert.match(refused('-----BEGIN OPENSSH PRIVATE KEY-----\n'), /this is a private key.*name its \.pub file/)
})

test('the login command fits into a shell', () => {
  const options = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1'
  assert.is(shellText(sshCommand(2222, undefined)), `ssh -p 2222 ${options}`)
  const line = shellText(sshCommand(40022, "/it's here/key"))
  assert.is(line, `ssh -i '/it'\\''s here/key' -o IdentitiesOnly=yes -p 40022 ${options}`)
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
  assert.is(stdout.split('\n')[2], "/it's here/key")
})

test('a key pair is made once, and again only where half of it is gone', async () => {
  if (!hasKeygen) return skip('a key pair')
  const first = await loginIn({})
  assert.equal(first, { offered: at('vm/authorized_keys'), identity: at('vm/ssh_key') })
  assert.is(statSync(at('vm/ssh_key')).mode & 0o777, 0o600)
  const keys = readFileSync(at('vm/authorized_keys'), 'utf8')
  assert.is(publicKeys(keys, 'made'), keys)
  await loginIn({})
  assert.is(readFileSync(at('vm/authorized_keys'), 'utf8'), keys)
  rmSync(at('vm/ssh_key.pub'))
  await loginIn({})
  assert.is.not(readFileSync(at('vm/authorized_keys'), 'utf8'), keys)
})

test('keys of the user’s own are offered as they are, and ssh is told which it is', async () => {
  writeFileSync(at('mine.pub'), `${key}\n`)
  assert.is((await loginIn({}, at('mine.pub'))).identity, at('mine.pub'))
  writeFileSync(at('mine'), '')
  assert.is((await loginIn({}, at('mine.pub'))).identity, at('mine'))
  assert.is(readFileSync(at('vm/authorized_keys'), 'utf8'), `${key}\n`)
  writeFileSync(at('all'), `${key}\n`)
  assert.is((await loginIn({}, at('all'))).identity, undefined)
  try {
    await loginIn({}, at('none.pub'))
    assert.unreachable()
  } catch (error) {
    assert.ok(isZosError(error) && error.code === 'VM_SSH_KEY' && error.exit === ExitCode.usage)
  }
})

test('without ssh-keygen there is no key, and a note', async () => {
  rmSync(at('vm'), { recursive: true })
  mkdirSync(at('vm'))
  const run: World['run'] = async ({ file }) => {
    throw new ZosError('HOST_TOOL_MISSING', `the program ${file} is not there`, { exit: ExitCode.host })
  }
  const { note, ...login } = await loginIn({ run })
  assert.equal(login, { offered: undefined, identity: undefined })
  assert.match(note!, /ssh-keygen is not there: apt-get install openssh-client, or --ssh-key FILE\.pub$/)
})

test.run()
