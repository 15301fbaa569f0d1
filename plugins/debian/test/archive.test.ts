// A whole archive in memory: signed, indexed and fetched as from a mirror.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type FetchContext, sha256, ZosError } from '@zos/core'
import { MemoryBlobs } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { debSource, fetchDeb } from '../dist/deb-source.js'
import type { DebianOptions } from '../dist/options.js'
import { answerRequest, type DebianPin, debianRequest } from '../dist/pin.js'
import { parseRequest } from '../dist/resolve/request.js'
import { hasTool, inFolder, skip } from './host.js'

const now = Date.UTC(2026, 10, 21) / 1000
const mirror = 'http://mirror.example/debian'

/** A paragraph of a Packages file with the fields that every one has. */
const paragraph = (name: string, version: string, more = '') =>
  `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\n${more}Filename: pool/main/${name}_${version}_amd64.deb\nSize: 3\nSHA256: ${sha256(`${name} ${version}`)}\n\n`

interface Site {
  readonly files: Map<string, Buffer>
  readonly requested: string[]
}

/** Adds a suite to a site; its InRelease is signed with the key in `home`. */
const addSuite = (site: Site, home: string, root: string, suite: string, packages: string, more = ''): void => {
  const index = gzipSync(packages)
  const digest = createHash('sha256').update(index).digest('hex')
  const release = `Suite: ${suite}\nCodename: ${suite}\nDate: Sat, 21 Nov 2026 00:00:00 UTC\n${more}Architectures: amd64\nComponents: main\nSHA256:\n ${digest} ${index.length} main/binary-amd64/Packages.gz\n`
  const signed = spawnSync('gpg', ['--homedir', home, '--batch', '--clearsign', '--digest-algo', 'SHA256'], {
    input: release,
  })
  if (signed.status !== 0) throw new Error(signed.stderr.toString())
  site.files.set(`${root}/dists/${suite}/InRelease`, signed.stdout)
  site.files.set(`${root}/dists/${suite}/main/binary-amd64/Packages.gz`, index)
}

/** As much of a fetch context as the plugin uses; it runs programs for real. */
const contextOf = (
  site: Site,
  folder: string,
  host: Record<string, string>,
  env: Record<string, string> = {},
): FetchContext & { blobs: MemoryBlobs } => {
  const blobs = new MemoryBlobs()
  const context = {
    epoch: now,
    now,
    env,
    blobs,
    project: { bytes: async (path: string) => Buffer.from(host[path] ?? '') },
    progress: () => undefined,
    has: async (tool: string) => tool === 'gpgv',
    hostText: async (path: string) => host[path] ?? readFileSync(path, 'latin1'),
    hostGlob: async (pattern: string) => {
      const form = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`)
      return Object.keys(host)
        .filter((path) => form.test(path))
        .sort()
    },
    scratch: async () => ({
      path: folder,
      write: async (name: string, content: string | Uint8Array | { sha256: string; size: number }) =>
        writeFileSync(
          join(folder, name),
          typeof content === 'object' && 'sha256' in content ? await blobs.read(content) : content,
        ),
    }),
    run: async ({ file, args }: { file: string; args: readonly string[] }) => {
      const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', cwd: folder })
      if (status !== 0) throw new ZosError('PROCESS_FAILED', `${file} failed`, { data: { exitCode: status, stderr } })
      return { stdout, stderr }
    },
    download: async (urls: readonly string[], expected: { sha256?: string } = {}) => {
      for (const url of urls) {
        site.requested.push(url)
        const bytes = site.files.get(url)
        if (!bytes) continue
        if (expected.sha256 !== undefined && sha256(bytes) !== expected.sha256)
          throw new ZosError('FETCH_HTTP', `${url}: another digest`)
        return blobs.put(bytes)
      }
      throw new ZosError('FETCH_HTTP', `${urls.join(', ')}: 404`, { data: { status: 404 } })
    },
  }
  return context as unknown as FetchContext & { blobs: MemoryBlobs }
}

const options: DebianOptions = { suite: 'bookworm', packages: [] }

const answer = (
  ctx: FetchContext,
  names: readonly string[],
  more: { previous?: DebianPin; trees?: Record<string, string[]>; options?: DebianOptions } = {},
) => {
  const requests = names.map((name) => parseRequest(name, 'debian({ packages })'))
  const all = more.options ?? options
  return answerRequest(debianRequest(all, 'x86_64', requests, more.trees ?? {}), requests, all, ctx, more.previous)
}

const codeOf = async (running: Promise<unknown>): Promise<string> => {
  try {
    await running
  } catch (error) {
    return `${(error as ZosError).code} ${(error as ZosError).message}`
  }
  return 'no error'
}

if (!hasTool('gpg') || !hasTool('gpgv')) {
  skip('a signed archive', 'gpg or gpgv is missing')
  test.run()
} else
  inFolder(async (folder) => {
    const keys = (name: string) => {
      const home = join(folder, name)
      mkdirSync(home, { mode: 0o700 })
      const gpg = (...args: string[]) => spawnSync('gpg', ['--homedir', home, '--batch', '--passphrase', '', ...args])
      gpg('--quick-generate-key', `${name} <${name}@example.org>`, 'ed25519', 'sign', 'never')
      writeFileSync(join(folder, `${name}.gpg`), gpg('--export').stdout)
      return {
        home,
        armored: gpg('--export', '--armor').stdout.toString(),
        done: () => spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']),
      }
    }
    const [archive, stranger] = [keys('archive'), keys('stranger')]
    const keyring = join(folder, 'archive.gpg')
    const host = {
      '/etc/apt/sources.list.d/debian.sources': `Types: deb\nURIs: ${mirror}\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: ${keyring}\n`,
      [keyring]: '',
    }
    const site = (home: string, version = '1', security = '') => {
      const made: Site = { files: new Map(), requested: [] }
      const main = `${paragraph('a', version, 'Depends: lib (>= 1)\n')}${paragraph('lib', '1')}${paragraph('meta', '1', 'Source: linux\nDepends: image-1, lib\n')}${paragraph('image-1', '1', 'Source: linux\n')}${paragraph('usr-is-merged', '1')}`
      addSuite(made, home, mirror, 'bookworm', main)
      addSuite(made, home, mirror, 'bookworm-updates', '')
      addSuite(
        made,
        home,
        `${mirror}-security`,
        'bookworm-security',
        security,
        'Valid-Until: Sat, 28 Nov 2026 00:00:00 UTC\n',
      )
      addSuite(
        made,
        home,
        mirror,
        'bookworm-backports',
        paragraph('a', '2~bpo12+1'),
        'NotAutomatic: yes\nButAutomaticUpgrades: yes\n',
      )
      return made
    }
    const context = (made: Site, env: Record<string, string> = {}, files: Record<string, string> = host) =>
      contextOf(made, folder, files, env)
    const versions = (pins: DebianPin['root']) =>
      Object.entries(pins)
        .map(([name, { version }]) => `${name}=${version}`)
        .join(' ')

    test('from apt configuration and signature to pins', async () => {
      const pin = await answer(context(site(archive.home)), ['a'], { trees: { 'tree meta': ['meta'] } })
      assert.is(versions(pin.root), 'a=1 lib=1 usr-is-merged=1')
      assert.equal(pin.root.a, {
        version: '1',
        architecture: 'amd64',
        archive: 'debian',
        path: 'pool/main/a_1_amd64.deb',
        sha256: sha256('a 1'),
        size: 3,
      })
      assert.is(versions(pin.trees['tree meta']!), 'image-1=1 meta=1', 'what is of another source package stays out')
    })

    test('security fixes win, and their archive is named', async () => {
      const pin = await answer(context(site(archive.home, '1', paragraph('lib', '1.1'))), ['a'])
      assert.is(versions(pin.root), 'a=1 lib=1.1 usr-is-merged=1')
      assert.is(pin.root.lib?.archive, 'debian-security')
    })

    test('backports are added when a package names them', async () => {
      const pin = await answer(context(site(archive.home)), ['a/bookworm-backports'])
      assert.is(versions(pin.root), 'a=2~bpo12+1 usr-is-merged=1')
    })

    test('pins that still fit stay; those that do not, move', async () => {
      const previous = await answer(context(site(archive.home)), ['a'])
      const newer = site(archive.home, '1', paragraph('lib', '1.1'))
      assert.is(
        versions((await answer(context(newer), ['a', 'meta'], { previous })).root),
        'a=1 image-1=1 lib=1 meta=1 usr-is-merged=1',
      )
      assert.is(versions((await answer(context(newer), ['a'])).root), 'a=1 lib=1.1 usr-is-merged=1')
      const gone = site(archive.home, '3')
      assert.is(versions((await answer(context(gone), ['a'], { previous })).root), 'a=3 lib=1 usr-is-merged=1')
      const needy = site(
        archive.home,
        '1',
        `${paragraph('lib', '1.1')}${paragraph('new', '1', 'Depends: lib (>= 1.1)\n')}`,
      )
      assert.is(
        versions((await answer(context(needy), ['a', 'new'], { previous })).root),
        'a=1 lib=1.1 new=1 usr-is-merged=1',
      )
    })

    test('a wrong signature, a changed file, an unknown key', async () => {
      assert.match(
        await codeOf(answer(context(site(stranger.home)), ['a'])),
        /^DEBIAN_SIGNATURE .*no valid signature by a key of .*archive\.gpg; [0-9A-F]+: no such key/,
      )
      const changed = site(archive.home)
      const url = `${mirror}/dists/bookworm/InRelease`
      changed.files.set(
        url,
        Buffer.from(changed.files.get(url)!.toString().replace('Components: main', 'Components: mean')),
      )
      assert.match(await codeOf(answer(context(changed), ['a'])), /^DEBIAN_SIGNATURE .*does not fit the text/)
      const other = site(archive.home)
      other.files.set(url, other.files.get(`${mirror}/dists/bookworm-backports/InRelease`)!)
      assert.match(
        await codeOf(answer(context(other), ['a'])),
        /^DEBIAN_RELEASE .*asked for the suite bookworm, but this is bookworm-backports/,
      )
      const index = site(archive.home)
      index.files.set(`${mirror}/dists/bookworm/main/binary-amd64/Packages.gz`, gzipSync(paragraph('evil', '1')))
      assert.match(await codeOf(answer(context(index), ['a'])), /^FETCH_HTTP .*another digest/)
    })

    test('a suite that has gone stale', async () => {
      const late = { ...context(site(archive.home)), now: now + 30 * 86400 }
      assert.match(await codeOf(answer(late, ['a'])), /^DEBIAN_EXPIRED .*valid until 2\d days ago/)
    })

    test('a keyring of the project, armored; the mirror of the environment', async () => {
      const made = site(archive.home)
      const moved: Site = {
        files: new Map([...made.files].map(([url, bytes]) => [url.replace('mirror.example', 'own.example'), bytes])),
        requested: [],
      }
      const env = { DEBIAN_MIRROR: 'http://own.example/debian' }
      const files = { ...host, 'keys/archive.asc': archive.armored }
      const pin = await answer(context(moved, env, files), ['a'], {
        options: { ...options, keyring: 'keys/archive.asc' },
      })
      assert.is(versions(pin.root), 'a=1 lib=1 usr-is-merged=1')
      assert.ok(moved.requested.every((url) => url.startsWith('http://own.example/')))
    })

    const [pinned] = [
      {
        version: '1',
        architecture: 'amd64',
        archive: 'debian',
        path: 'pool/main/a_1+b1_amd64.deb',
        sha256: sha256('abc'),
        size: 3,
      } as const,
    ]

    test('a pinned package comes from the mirrors of this machine, then from the snapshot', async () => {
      const made: Site = {
        files: new Map([[`${mirror}/pool/main/a_1%2Bb1_amd64.deb`, Buffer.from('abc')]]),
        requested: [],
      }
      assert.is((await fetchDeb(debSource('a', pinned, options, 'debian'), context(made))).blob?.size, 3)
      const snapshot = 'http://past.example/{archive}/2026'
      const past: Site = {
        files: new Map([['http://past.example/debian/2026/pool/main/a_1%2Bb1_amd64.deb', Buffer.from('abc')]]),
        requested: [],
      }
      const source = debSource('a', pinned, { ...options, snapshot }, 'debian')
      assert.is((await fetchDeb(source, context(past))).blob?.size, 3)
      assert.is(past.requested[0], `${mirror}/pool/main/a_1%2Bb1_amd64.deb`)
    })

    test('a pinned package that is gone is named, with what to do', async () => {
      try {
        await fetchDeb(debSource('a', pinned, options, 'base'), context({ files: new Map(), requested: [] }))
        assert.unreachable()
      } catch (error) {
        const { code, message, hint } = error as ZosError
        assert.is(code, 'DEBIAN_SUPERSEDED')
        assert.match(message, /^a 1, which the lock pins, is no longer on the mirrors/)
        assert.is(hint[0], 'zos update base')
      }
    })

    test.after(() => {
      archive.done()
      stranger.done()
    })
    await new Promise<void>((resolve) => {
      test.after(() => resolve())
      test.run()
    })
  })
