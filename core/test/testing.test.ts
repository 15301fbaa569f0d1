import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { definePlugin, FileTree, path, type Ref, ref, refOption, wishToken, ZosError } from '../dist/index.js'
import { MemoryBlobs, rejection, runPlugin, treeChanges, treeOf } from '../dist/testing/index.js'

const line = wishToken<string>('sign/line')
const size = wishToken<number, number>('paper/size')

/** A plugin that uses every hook but publish. */
const sign = definePlugin<{ readonly text: string; readonly paper?: Ref }>()({
  name: 'sign',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({ text: v.string(), paper: v.exactOptional(refOption) }),
  apply(hooks, { text, paper }, { id }) {
    const inked = ref(id, 'inked', 'tree')
    hooks.resolve.tap('sign', (plan) => {
      plan.own(line, (wishes) => wishes.map(({ value }) => value))
      plan.wish(size, 4)
      plan.source('letters', path('letters'))
      plan.source('ink', { kind: 'ink', url: 'https://ink.example.com' })
      plan.component({ name: 'framed', kind: 'frame', options: null, needs: [inked] })
      plan.component({ name: 'inked', kind: 'ink', options: null, sources: ['letters'] })
      plan.output({ name: 'sign.txt', format: 'sign', options: null, from: ['initramfs'] })
      plan.pin({
        name: 'colour',
        request: (settled) => ({ lines: settled(line).length }),
        answer: async (_, ctx) => (await ctx.download(['https://ink.example.com/colour'])).size,
        // biome-ignore lint/suspicious/noThenProperty: the name is that of a lock entry, which is no promise.
        then: (pin, declare) =>
          declare.output({ name: `colour-${pin}.txt`, format: 'sign', options: null, from: ['initramfs'] }),
      })
    })
    hooks.pin.for('ink').tap('newest', async () => ({ version: '2' }))
    hooks.fetch.for('ink').tap('get', async ({ source, pin }, ctx) => ({
      blob: await ctx.download([`${source.url}/${(pin as { version: string }).version}`]),
    }))
    hooks.build.for('ink').tap('print', async (_, ctx) => {
      const { tree } = await ctx.fetched('letters')
      const toolchain = await ctx.host({ tools: ['tr'] })
      const made = await ctx.run({ name: 'print', command: ['tr'], inputs: { in: tree! }, outputs: ['out'], toolchain })
      return { trees: { tree: made.tree } }
    })
    hooks.build.for('frame').tap('frame', async (_, ctx) => ({ trees: { tree: await ctx.tree(inked) } }))
    hooks.assemble.tap('put', async (tree, ctx) => {
      if (ctx.mode === 'release') throw new ZosError('SIGN_RELEASE', 'no signs in a release')
      ctx.explain(`${await ctx.project.text(text)}`)
      ctx.warn('SIGN_WET', 'the ink is wet')
      const above = paper ? (await ctx.fileOf(paper)).size : 0
      return tree
        .delta({ over: ['base'] })
        .tree(await ctx.tree(ref(id, 'framed', 'tree')), '/srv')
        .file('/etc/lines', ctx.settled(line).join('\n'))
        .file('/etc/issue', `above: ${above}`)
    })
    hooks.optimize.tap('short', async (tree) => tree.delta().remove('/etc/long'))
    hooks.check.tap('words', async (tree) =>
      (await tree.text('/etc/issue')).length > 3
        ? [{ level: 'warning', code: 'SIGN_LONG', subject: '/etc/issue', message: 'is long' }]
        : [],
    )
    hooks.pack.for('sign').tap('sign', async (_, ctx) => ({ blob: (await ctx.output('initramfs')).blob }))
  },
})

const given = {
  project: { 'letters/a': 'a', 'sign.txt': 'Hello' },
  tree: { '/etc/issue': 'old', '/etc/long': 'x' },
  downloads: { 'https://ink.example.com/colour': 'red', 'https://ink.example.com/2': 'ink' },
  wishes: [[line, 'Open.']] as const,
  outputs: { initramfs: 'archive' },
  run: (_: unknown, blobs: MemoryBlobs) => treeOf({ out: 'A' }, blobs),
}

test('a plugin runs alone through all its hooks', async () => {
  const ran = await runPlugin(sign({ text: 'sign.txt' }), given)
  assert.equal(ran.changes, ['~ /etc/issue content', '+ /etc/lines file 0644', '- /etc/long', '+ /srv/out file 0644'])
  assert.is(ran.text('/etc/lines'), 'Open.')
  assert.is(ran.text('/nothing'), undefined)
  assert.equal([...ran.wishes], [['paper/size', [4]]])
  assert.equal(Object.fromEntries(ran.pins), { colour: 3, ink: { version: '2' } })
  assert.equal([...ran.packed.keys()], ['sign.txt', 'colour-3.txt'])
  assert.equal([...ran.artifacts.keys()], ['sign/inked', 'sign/framed'])
  assert.equal([ran.explained, ran.warnings], [['Hello'], ['SIGN_WET the ink is wet']])
  assert.equal(
    ran.findings.map(({ code }) => code),
    ['SIGN_LONG'],
  )
  assert.equal(ran.actions[0]?.command, ['tr'])
})

test('what is not given is told, with the member that gives it', async () => {
  const alone = await rejection(runPlugin(sign({ text: 'sign.txt' }), { ...given, downloads: {} }))
  assert.is(alone.code, 'TEST_MISSING')
  assert.match(alone.hint.join(''), /downloads: \{ 'https:\/\/ink\.example\.com\/colour'/)
  const { run: _, ...without } = given
  assert.match((await rejection(runPlugin(sign({ text: 'sign.txt' }), without))).message, /the command tr/)
  const paper = ref('shop', 'paper', 'sheet')
  const missing = await rejection(runPlugin(sign({ text: 'sign.txt', paper }), given))
  assert.match(missing.hint.join(''), /artifacts: \{ 'shop\/paper'/)
  const blobs = new MemoryBlobs()
  const artifacts = { 'shop/paper': { files: { sheet: blobs.add('12345') } } }
  assert.is(
    (await runPlugin(sign({ text: 'sign.txt', paper }), { ...given, artifacts, blobs })).text('/etc/issue'),
    'above: 5',
  )
})

test('options are checked, errors come through, taps can be chosen', async () => {
  assert.is((await rejection(runPlugin(sign({ text: 1 } as never)))).code, 'CONFIG_INVALID')
  assert.is((await rejection(runPlugin(sign({ text: 'x' }), { ...given, mode: 'release' }))).code, 'SIGN_RELEASE')
  assert.is((await rejection(runPlugin(sign({ text: 'x' }), given))).code, 'FILE_MISSING')
  const ran = await runPlugin(sign({ text: 'x' }), { ...given, only: ['optimize short'] })
  assert.equal(ran.changes, ['- /etc/long'])
})

test('changes of trees say kind, mode, owner and content', () => {
  const blobs = new MemoryBlobs()
  const before = treeOf({ a: 'x', b: { link: 'a' }, c: { content: 'x', mode: 0o755 }, d: { directory: 0o700 } }, blobs)
  const after = treeOf({ a: 'y', b: { link: 'c' }, c: { content: 'x', mode: 0o4755 }, 'e/f': 'x' }, blobs)
  assert.equal(treeChanges(before, after), [
    '~ /a content',
    '~ /b link to a → link to c',
    '~ /c file 0755 → file 4755',
    '- /d directory 0700',
    '+ /e/f file 0644',
  ])
  assert.equal(treeChanges(after, after), [])
  assert.equal(treeChanges(FileTree.empty, treeOf({ g: 'x' }, blobs)), ['+ /g file 0644'])
})

test.run()
