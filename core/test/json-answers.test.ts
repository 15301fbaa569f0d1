// time limit: 120 s
// docs/json.schema.json is what commands really print.
import { readFileSync } from 'node:fs'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answersProject } from './answers.js'

const schema = JSON.parse(readFileSync(new URL('../../docs/json.schema.json', import.meta.url), 'utf8'))
const page = readFileSync(new URL('../../docs/json.md', import.meta.url), 'utf8')
const ajv = new Ajv2019({ allErrors: true, allowUnionTypes: true }).addSchema(schema, 'zos')

const project = answersProject()
const expectValid = async (definition: string, ...words: string[]): Promise<void> => {
  const isValid = ajv.getSchema(`zos#/$defs/${definition}`)
  assert.ok(isValid, `no definition ${definition}`)
  const { out } = await project.run([...words, '--json'])
  const lines = out.trimEnd().split('\n')
  for (const line of lines.slice(-3))
    assert.is(
      isValid(JSON.parse(line)),
      true,
      `${words.join(' ')}: ${JSON.stringify(isValid.errors)}\n${line.slice(0, 2000)}`,
    )
}

test('every answer has the form that its definition states', async () => {
  await expectValid('plan', 'plan')
  await project.quick()
  project.edit('config/unit.yaml', 'exec: sshd', 'exec: sshd -D')
  await expectValid('plan', 'plan')
  await expectValid('why', 'why', '/etc/link')
  await project.quick()
  await expectValid('plan', 'plan')
  for (const step of ['demo/units', 'image.bin', 'demo/tool']) await expectValid('explain', 'explain', step)
  for (const path of ['/etc/link', '/usr/bin/tool', '/']) await expectValid('why', 'why', path)
  await expectValid('graph', 'graph')
  await expectValid('log', 'log', 'demo/tool')
  await expectValid('log', 'log', 'demo/tool', '--path')
  await expectValid('diff', 'diff')
  await expectValid('size', 'size')
  await expectValid('size', 'size', '@0', '--against', '@1', '--by', 'folder')
  await expectValid('gc', 'gc', '--dry-run')
  await expectValid('error', 'why', '/no/such/path')
  await expectValid('error', 'explain', 'demo/unti')
})

test('several builds end with what came of each', async () => {
  const isValid = ajv.getSchema('zos#/$defs/builds')!
  const { out } = await project.zos(['build', 'zos.config.ts', 'none.config.ts', '--json'])
  const last = JSON.parse(out.trimEnd().split('\n').at(-1)!)
  assert.is(isValid(last), true, JSON.stringify(isValid.errors))
  assert.equal(
    last.builds.map(({ end }: { end: number }) => end),
    [0, 3],
  )
})

test('docs/json.md names every definition of a command', () => {
  const named = [...page.matchAll(/^\| .+ \| `(\w+)` \| .+ \|$/gm)].map(([, name]) => name!)
  const commands = Object.entries(schema.$defs as Record<string, { description?: string }>).flatMap(
    ([name, { description }]) => (/^(zos |Any command)/.test(description ?? '') ? [name] : []),
  )
  assert.equal(named.sort(), commands.sort())
})

test.run()
