// Engines of containers that work here, with what they need in the environment.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string>>

/** An image with nothing in it: an engine that works says that the program is missing, any other what is wrong. */
const failureOf = (engine: string, more: Environment): string | undefined => {
  const image = 'localhost/zos-probe:1'
  const run = (...args: string[]) =>
    spawnSync(engine, args, {
      env: { ...process.env, ...more },
      input: Buffer.alloc(10_240),
      encoding: 'utf8',
      timeout: 60_000,
    })
  const imported = run('import', '-', image)
  if (imported.status !== 0) return imported.error?.message ?? imported.stderr.trim().split('\n').at(-1)
  const limits = engine === 'podman' ? ['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096'] : []
  const { stderr } = run('run', '--rm', '--network', 'none', ...limits, image, '/nothing')
  run('rmi', image)
  return /no such file|not found/i.test(stderr) ? undefined : stderr.trim().split('\n').at(0)
}

/** The environment in which an engine runs containers here, or why it does not. */
export const engineEnvironment = (
  engine: 'podman' | 'docker',
  folder: string,
): { readonly env: Environment } | { readonly reason: string } => {
  const reason = failureOf(engine, {})
  if (reason === undefined) return { env: {} }
  if (engine === 'docker') return { reason }
  const file = join(folder, 'containers.conf')
  writeFileSync(file, '[engine]\nruntime = "runc"\n')
  const env = { CONTAINERS_CONF: file }
  return failureOf(engine, env) === undefined ? { env } : { reason }
}
