// The bill of materials: deterministic, and of the form that SPDX 2.3 wants.
import { readFileSync } from 'node:fs'
import { Ajv2019 } from 'ajv/dist/2019.js'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isLicenseExpression, spdxDocument } from '../dist/format/spdx.js'
import type { Package } from '../dist/index.js'
import { configOf, Project, pluginsFile } from './temporary-project.js'

const schema = JSON.parse(readFileSync(new URL('../test/spdx-2.3.schema.json', import.meta.url), 'utf8')) as object
const isValid = new Ajv2019({ allErrors: true }).compile(schema)

/** The document as data, once the schema has taken it and every id leads somewhere. */
// biome-ignore lint/suspicious/noExplicitAny: a document as tests look at it.
const judged = (text: string): any => {
  const data = JSON.parse(text)
  assert.is(isValid(data as object), true, JSON.stringify(isValid.errors))
  const ids = [data.SPDXID, ...data.packages.map((one: { SPDXID: string }) => one.SPDXID)]
  assert.is(new Set(ids).size, ids.length, 'ids are unique')
  for (const { spdxElementId, relatedSpdxElement } of data.relationships)
    for (const id of [spdxElementId, relatedSpdxElement]) assert.ok(ids.includes(id), `${id} leads nowhere`)
  return data
}

const crate = (name: string): Package => ({ name, version: '1.0.0', purl: `pkg:cargo/${name}@1.0.0`, license: 'MIT' })
const bill = {
  name: 'demo',
  version: 'x86_64-debug-0123',
  epoch: 1_700_000_000,
  tool: 'zos-0.1.0',
  files: [{ name: 'vmlinuz.efi', sha256: 'a'.repeat(64) }],
}

test('a document of packages, what they are made from, and files', () => {
  const program: Package = {
    ...crate('zinit'),
    madeFrom: [crate('tokio'), { ...crate('serde'), madeFrom: [crate('tokio')] }],
  }
  const busybox: Package = {
    name: 'busybox-static',
    version: '1:1.35.0-4+b4',
    purl: 'pkg:deb/debian/busybox-static@1%3A1.35.0-4%2Bb4?arch=amd64',
    license: 'see the file',
    licenseComment: 'GPL-2',
    sha256: 'b'.repeat(64),
  }
  const packages = [
    { isContained: true, one: program },
    { isContained: false, one: busybox },
  ]
  const text = spdxDocument({ ...bill, packages })
  const data = judged(text)
  assert.is(data.creationInfo.created, '2023-11-14T22:13:20Z')
  assert.is(data.packages.length, 1 + 1 + 4)
  const found = data.packages.find(({ name }: { name: string }) => name === 'busybox-static')
  assert.equal([found.licenseDeclared, found.licenseComments], ['NOASSERTION', 'see the file; GPL-2'])
  const kinds = data.relationships.map((one: { relationshipType: string }) => one.relationshipType).sort()
  assert.equal(kinds, ['CONTAINS', 'CONTAINS', 'DESCRIBES', ...Array(4).fill('GENERATED_FROM')])
  assert.is(spdxDocument({ ...bill, packages: packages.reverse() }), text, 'order of packages')
})

test('whatever packages say, the document is valid', () => {
  const words = fc.string({ minLength: 1, unit: 'grapheme' })
  const one = fc.record({
    name: words,
    version: words,
    purl: words.map((text) => `pkg:${encodeURIComponent(text)}`),
  })
  const list = fc.uniqueArray(one, { maxLength: 5, selector: ({ purl }) => purl })
  fc.assert(
    fc.property(list, fc.option(words, { nil: undefined }), (packages, license) => {
      judged(
        spdxDocument({
          ...bill,
          packages: packages.map((some) => ({ isContained: false, one: { ...some, ...(license && { license }) } })),
        }),
      )
    }),
  )
})

test('licence expressions', () => {
  for (const text of [
    'MIT',
    'GPL-2.0+',
    'MIT OR Apache-2.0',
    '(GPL-2.0-or-later AND MIT) OR ISC',
    'GPL-2.0-only WITH Linux-syscall-note',
  ])
    assert.ok(isLicenseExpression(text), text)
  for (const text of [
    '',
    'MIT/Apache-2.0',
    'MIT OR',
    'OR MIT',
    '(MIT',
    'MIT)',
    'MIT ISC',
    'MPL-2.0+',
    'see the file',
    'a, b',
    '()',
  ])
    assert.not.ok(isLicenseExpression(text), text)
})

const plugins = pluginsFile(`
export const demo = plugin('demo', (hooks) => {
  hooks.assemble.tap('tool', async (tree, ctx) => {
    ctx.package({ name: 'tool', version: '2', purl: 'pkg:generic/tool@2', license: 'MIT' })
    ctx.package({ name: 'maker', version: '1', purl: 'pkg:generic/maker@1' })
    return tree.delta().file('/usr/bin/tool', 'tool', { package: 'tool' })
  })
})`)

test('a build writes it, and a build from the store the same; the manifest has its digest', async () => {
  const project = new Project({ 'zos.config.ts': configOf('local.demo({})'), 'plugins.ts': plugins })
  await project.quick()
  const text = project.text('dist/sbom.spdx.json')
  const data = judged(text)
  const shown = data.relationships
    .map(
      (one: Record<string, string>) =>
        `${one.relationshipType} ${one.relatedSpdxElement!.replace(/-[0-9a-f]{12}$/, '')}`,
    )
    .sort()
  assert.equal(shown, [
    'CONTAINS SPDXRef-File-initramfs.cpio.xz',
    'CONTAINS SPDXRef-Package-tool',
    'DESCRIBES SPDXRef-Image',
    'GENERATED_FROM SPDXRef-Package-maker',
  ])
  project.remove('dist')
  const again = await project.quick()
  assert.is(again.hits.length, 2)
  assert.is(project.text('dist/sbom.spdx.json'), text)
  const manifest = JSON.parse(project.text('dist/manifest.json'))
  assert.ok(manifest.outputs.some(({ name }: { name: string }) => name === 'sbom.spdx.json'))
  await project.quick(['initramfs'])
  assert.is(project.text('dist/sbom.spdx.json'), text, 'one output alone')
})

test('manifest.json has lock, toolchain and action digests, also of steps from the store', async () => {
  const project = new Project({
    'zos.config.ts': configOf('local.demo({})'),
    'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks, options, { id }) => {
  hooks.resolve.tap('plan', (plan) => plan.component({ name: 'thing', kind: 'demo', options: {} }))
  hooks.build.for('demo').tap('make', async (_component, ctx) => {
    const toolchain = await ctx.host({ tools: ['sh'] })
    const { tree } = await ctx.run({ name: 'echo', toolchain, inputs: {}, outputs: ['x'], command: ['sh', '-c', 'echo x > x'] })
    return { trees: { tree } }
  })
})`),
  })
  const { manifest } = (await project.quick()).events.at(-1)!
  assert.match(manifest.lock, /^[0-9a-f]{64}$/)
  assert.equal(Object.keys(manifest.toolchains), ['demo: sh'])
  assert.match(manifest.toolchains['demo: sh'].identity, /^[0-9a-f]{64}$/)
  assert.is(manifest.actions.length, 1)
  assert.equal([manifest.actions[0].step, manifest.actions[0].name], ['demo/thing', 'echo'])
  assert.match(manifest.actions[0].digest, /^[0-9a-f]{64}$/)
  assert.equal((await project.quick()).events.at(-1)!.manifest, manifest)
})

test.run()
