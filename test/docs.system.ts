// time limit: 2400 s
// Commands of the pages, run as they stand in a project that has the quickstart, and the tutorial up to its boot.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOf, partsOf } from './markdown.js'
import { type Minio, noMinio, startMinio } from './minio.js'
import { makeReader, type Ran, type Reader, read } from './pages.js'
import { copyStore, makeQuickstartProject } from './quickstart-project.js'
import { build, project } from './zos.js'

/** Pages whose commands are run here. */
const pages = [
  'docs/build.md',
  'docs/guides.md',
  'docs/json.md',
  'docs/publishing.md',
  'docs/flists.md',
  'plugins/rfs/README.md',
  'plugins/oci/README.md',
]
/** Pages whose commands are run elsewhere, and where. */
const elsewhere: Readonly<Record<string, string>> = {
  'README.md': 'scripts/test.sh is what runs this; scripts/quickstart.sh: test/docs.nightly.ts',
  'CONTRIBUTING.md': 'scripts/test.sh is what runs this',
  'docs/tutorial.md': 'below',
  'docs/zero-os/README.md': 'test/variants.nightly.ts',
  'docs/zero-os/build.md': 'test/variants.nightly.ts',
  'examples/command/README.md': 'test/packages.system.ts',
  'examples/component-kind/README.md': 'test/packages.system.ts',
  'examples/hardware/README.md': 'test/packages.system.ts, test/packages.nightly.ts',
  'examples/publish-target/README.md': 'test/packages.system.ts',
}

const folder = mkdtempSync(join(tmpdir(), 'zos-pages-'))
const place = join(folder, 'project')
let minio: Minio | undefined
/** The bucket of flists on it, as a store. */
let hub = ''
test.after(async () => {
  await minio?.kill()
  rmSync(folder, { recursive: true, force: true })
})

/** Seconds for the quickstart, which may have to be compiled. */
const limit = 1800
/** Where the quickstart publishes. */
const target = "folder({ path: 'dist/quickstart/published' })"

/** Two variants of the config, and firmware to pack. */
const addVariants = (): void => {
  mkdirSync(join(place, 'variants'))
  for (const name of ['loud', 'silent'])
    writeFileSync(
      join(place, `variants/${name}.config.ts`),
      `import base from '../zos.config.ts'\nexport default base.variant({ name: '${name}', plugins: { kernel: { cmdline: 'console=ttyS0 ${name}' } } })\n`,
    )
  mkdirSync(join(place, 'modules/kernel/fs'), { recursive: true })
  mkdirSync(join(place, 'firmware/rtl_nic'), { recursive: true })
  writeFileSync(join(place, 'firmware/rtl_nic/rtl8168h-2.fw'), 'firmware')
}

const configure = (plugin: string, publish: string): void =>
  writeFileSync(
    join(place, 'zos.config.ts'),
    read('variants/quickstart.config.ts')
      .replace(
        "import { folder } from '@zos/s3'",
        "import { secret } from '@zos/core'\nimport { oci } from '@zos/oci'\n$&",
      )
      .replace(target, plugin)
      .replace('publish: [published.manifests()]', `publish: [${publish}]`),
  )

/** What a page takes for granted; without it, the project as it is. */
const before: Readonly<Record<string, (reader: Reader) => Promise<unknown>>> = {
  'docs/build.md': ({ run }) => run('zos build', place),
  'docs/guides.md': async ({ run }) => {
    // A store of long ago may have neither the log nor what a shell wants.
    const again = 'zos log kernel/linux && zos shell kernel/linux -- true || zos build --rebuild-from=kernel/linux'
    assert.is((await run(again, place)).code, 0)
    for (const name of ['loud', 'silent']) cpSync(join(place, 'zos.lock'), join(place, `variants/${name}.lock`))
  },
  'docs/publishing.md': async () =>
    configure(
      target.replace(' })', ", sign: { key: secret('PUBLISH_KEY') } })"),
      'published.manifests(), published.kernels()',
    ),
  'docs/flists.md': ({ run }) => run(`zos flist pack -m old.fl -s '${hub}' firmware`, place),
  'plugins/oci/README.md': async () => configure("oci({ path: 'registry' })", 'published.layout()'),
}

let reader: Reader | undefined
const left: string[] = []
const note = (page: string, ran: Ran): void => {
  for (const { needs, commands } of ran.left) left.push(`skip ${page}: ${commands} commands need ${needs}`)
}

test('a project with the quickstart', async () => {
  await build('variants/quickstart.config.ts', project, limit)
  assert.ok(read('variants/quickstart.config.ts').includes(target))
  makeQuickstartProject(place)
  addVariants()
  copyStore(join(place, '.zos'))
  if (noMinio === undefined) {
    minio = await startMinio(join(folder, 'minio'))
    await minio.client.makeBucket('zos')
    const { accessKey, secretKey } = await minio.user('hub', [
      { Effect: 'Allow', Action: ['s3:*'], Resource: ['arn:aws:s3:::*'] },
    ])
    hub = `s3://${accessKey}:${secretKey}@127.0.0.1:${minio.port}/zos/blobs?region=us-east-1`
  }
  reader = makeReader(
    folder,
    { ...process.env, ZOS_STORE: '' },
    {
      's3://KEY:SECRET@hub:3900/zos/blobs': hub,
      's3://READ:SECRET@hub:3900/zos/blobs': hub,
      's3://READ:SECRET@mirror:3900/zos/blobs': hub,
      '/srv/zos-mirror': join(folder, 'mirror'),
      '/cache/zos': join(place, '.zos'),
      '/srv/blocks': join(folder, 'blocks'),
      '/lib/modules/6.12.44': join(place, 'modules'),
    },
  )
})

for (const page of pages)
  test(`commands of ${page}`, async () => {
    if (!reader) return
    if (page === 'docs/flists.md' && noMinio !== undefined) return console.log(`skip ${page}: ${noMinio}`)
    await before[page]?.(reader)
    note(page, await reader.runBlocks(page, place))
  })

test('docs/tutorial.md, up to a machine that greets', async () => {
  if (!reader) return
  const machine = join(folder, 'tutorial')
  mkdirSync(machine)
  for (const part of partsOf(read('docs/tutorial.md'))) await reader.follow(part, machine)
  note('docs/tutorial.md', await reader.runBlocks('docs/tutorial.md', machine))
})

const pagesIn = (path: string, depth: number): string[] =>
  readdirSync(join(project, path), { withFileTypes: true }).flatMap((entry) => {
    const inner = join(path, entry.name)
    if (entry.isDirectory()) return depth > 0 && entry.name !== 'node_modules' ? pagesIn(inner, depth - 1) : []
    return entry.name.endsWith('.md') ? [inner] : []
  })

test('the commands of every page are run by some test, or the page says what they need', () => {
  const all = [...pagesIn('.', 0), ...['docs', 'examples', 'plugins'].flatMap((path) => pagesIn(path, 1))]
  assert.equal(
    all.filter((page) => blocksOf(read(page)).length > 0).sort(),
    [...pages, ...Object.keys(elsewhere)].sort(),
  )
  for (const line of left) console.log(line)
})

test.run()
