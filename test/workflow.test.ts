// The workflow that builds images: what it calls is there.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { project } from './zos.js'

interface Step {
  readonly run?: string
  readonly uses?: string
}
interface Workflow {
  readonly on: { readonly push: { readonly paths: readonly string[] } }
  readonly jobs: {
    readonly image: {
      readonly strategy: { readonly matrix: { readonly config: string } }
      readonly steps: readonly Step[]
    }
  }
}

const { parse } = createRequire(join(project, 'plugins/zinit/package.json'))('yaml') as {
  parse(text: string): Workflow
}
const workflow = parse(readFileSync(join(project, '.github/workflows/zero-os.yml'), 'utf8'))
const { steps, strategy } = workflow.jobs.image

test('it builds the quickstart and the Zero-OS image', () => {
  const [list] = /'(\[.*\])'/.exec(strategy.matrix.config.replace(/format\('[^']*'/, ''))!.slice(1)
  const configs = JSON.parse(list!) as string[]
  assert.equal(configs, ['variants/quickstart.config.ts', 'zos.config.ts'])
  for (const config of configs) assert.ok(existsSync(join(project, config)), config)
})

test('its scripts, folders and actions are there', () => {
  const scripts = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  const words = steps.map(({ run = '' }) => run).join('\n')
  assert.match(words, /^scripts\/setup\.sh$/m)
  assert.match(words, /npm run -s zos -- build -c/)
  assert.ok(existsSync(join(project, 'scripts/setup.sh')))
  assert.ok('zos' in scripts.scripts)
  for (const { uses } of steps)
    if (uses !== undefined) assert.match(uses, /^actions\/(checkout|setup-node|cache|upload-artifact)@v\d+$/)
  for (const path of workflow.on.push.paths)
    assert.ok(existsSync(join(project, path.replace(/\/\*\*$/, ''))), `${path} is watched and not there`)
})

test.run()
