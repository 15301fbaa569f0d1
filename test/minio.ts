// A real MinIO server for tests: started on a free port, killed and started again, with users and policies of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import https from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'minio'
import { project } from './zos.js'

const program = join(project, '.zos-toolchain/bin/minio')

/** Why tests against a server cannot run; `undefined` where they can. */
export const noMinio = existsSync(program) ? undefined : `${program} is not there (scripts/setup.sh tests)`

const region = 'us-east-1'
const root = { accessKey: 'rootuser0', secretKey: 'rootpassword0' }

export interface Keys {
  readonly accessKey: string
  readonly secretKey: string
}

export interface Minio {
  readonly port: number
  readonly endpoint: string
  /** A client of the root user. */
  readonly client: Client
  /** Kills the server at once, as a power cut would. */
  kill(): Promise<void>
  /** Starts it again, on the same port with the same data. */
  start(): Promise<void>
  /** A user with a policy of these statements. */
  user(name: string, statements: readonly object[]): Promise<Keys>
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/**
 * As the admin API takes secrets: salt, kind 2 (PBKDF2, AES-256-GCM), nonce, and one last fragment of the stream format
 * of `sio`, whose associated data is 0x80 and the tag of an empty message.
 */
const sealed = (password: string, text: string): Buffer => {
  const [salt, nonce] = [randomBytes(32), randomBytes(8)]
  const key = pbkdf2Sync(password, salt, 8192, 32, 'sha256')
  const seal = (number: number, data: string, more: Buffer): Buffer => {
    const counter = Buffer.alloc(4)
    counter.writeUInt32LE(number)
    const cipher = createCipheriv('aes-256-gcm', key, Buffer.concat([nonce, counter])).setAAD(more)
    return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()])
  }
  const last = Buffer.concat([Buffer.of(0x80), seal(0, '', Buffer.alloc(0))])
  return Buffer.concat([salt, Buffer.of(2), nonce, seal(1, text, last)])
}

/** Seconds that a server on a busy machine may take until it answers. */
const patience = 60

/**
 * Starts a server whose data lies in `folder`; over HTTPS where `certs` names a folder with `public.crt` and
 * `private.key`. Whoever starts it has to kill it.
 */
export const startMinio = async (folder: string, certs?: string): Promise<Minio> => {
  const port = await freePort()
  const useSSL = certs !== undefined
  const endpoint = `${useSSL ? 'https' : 'http'}://127.0.0.1:${port}`
  // The tests' own certificate, which nobody else signed.
  const transportAgent = useSSL ? { transportAgent: new https.Agent({ rejectUnauthorized: false }) } : {}
  const client = new Client({
    endPoint: '127.0.0.1',
    port,
    useSSL,
    region,
    ...root,
    ...transportAgent,
    retryOptions: { disableRetry: true },
  })
  let child: ChildProcess | undefined
  const env = {
    ...{ PATH: process.env.PATH, HOME: folder, MINIO_BROWSER: 'off', MINIO_UPDATE: 'off' },
    ...{ MINIO_ROOT_USER: root.accessKey, MINIO_ROOT_PASSWORD: root.secretKey },
  }

  const start = async (): Promise<void> => {
    mkdirSync(folder, { recursive: true })
    const words = [
      'server',
      folder,
      '--address',
      `127.0.0.1:${port}`,
      '--quiet',
      ...(certs ? ['--certs-dir', certs] : []),
    ]
    const started = spawn(program, words, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    child = started
    process.once('exit', () => started.kill('SIGKILL'))
    for (let tries = 0; tries < patience * 5; tries++) {
      if (
        await client.listBuckets().then(
          () => true,
          () => false,
        )
      )
        return
      if (started.exitCode !== null) throw new Error(`minio ended with ${started.exitCode}`)
      await sleep(200)
    }
    throw new Error(`minio did not answer within ${patience} s`)
  }

  const kill = async (): Promise<void> => {
    const running = child
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise((resolve) => running.once('close', resolve))
    running.kill('SIGKILL')
    await ended
  }

  const admin = async (path: string, query: string, payload: Buffer | string): Promise<void> => {
    const request = { method: 'PUT', bucketName: 'minio', objectName: `admin/v3/${path}`, query }
    const response = await client.makeRequestAsync(request, payload, [200], region)
    response.resume()
  }

  await start()
  return {
    ...{ port, endpoint, client, kill, start },
    user: async (name, statements) => {
      const keys = { accessKey: `${name}${randomBytes(6).toString('hex')}`, secretKey: randomBytes(20).toString('hex') }
      const account = JSON.stringify({ secretKey: keys.secretKey, status: 'enabled' })
      await admin('add-user', `accessKey=${keys.accessKey}`, sealed(root.secretKey, account))
      const policy = JSON.stringify({ Version: '2012-10-17', Statement: statements })
      await admin('add-canned-policy', `name=${keys.accessKey}`, policy)
      const grant = `isGroup=false&policyName=${keys.accessKey}&userOrGroup=${keys.accessKey}`
      await admin('set-user-or-group-policy', grant, '')
      return keys
    },
  }
}
