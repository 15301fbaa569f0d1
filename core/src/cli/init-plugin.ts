// What `zos init plugin` writes: a plugin with a test that passes, and a config to try it with.
import { version } from '../version.js'

/** `acme-board` → `acmeBoard`. */
const camel = (name: string): string =>
  name.replace(/[^a-z0-9]+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

export const pluginFiles = (name: string): Readonly<Record<string, string>> => {
  const factory = camel(name)
  const options = `${factory[0]!.toUpperCase()}${factory.slice(1)}Options`
  return {
    'package.json': `${JSON.stringify(
      {
        name,
        version: '0.1.0',
        type: 'module',
        exports: { '.': { types: './dist/plugin.d.ts', default: './dist/plugin.js' } },
        files: ['dist'],
        scripts: {
          test: 'node --import @zos/core/typescript --test plugin.test.ts',
          check: 'tsc --noEmit',
          prepack: 'tsc',
        },
        dependencies: { '@zos/core': version, valibot: '^1.5.0' },
        devDependencies: { '@types/node': '^20.19.0', typescript: '>=5.8' },
      },
      undefined,
      2,
    )}\n`,
    'tsconfig.json': `${JSON.stringify(
      {
        compilerOptions: {
          target: 'es2023',
          module: 'nodenext',
          strict: true,
          skipLibCheck: true,
          declaration: true,
          types: ['node'],
          rewriteRelativeImportExtensions: true,
          rootDir: '.',
          outDir: 'dist',
        },
        include: ['plugin.ts', 'plugin.test.ts', 'zos.config.ts'],
      },
      undefined,
      2,
    )}\n`,
    'plugin.ts': `import { definePlugin, ZosError } from '@zos/core'
import * as v from 'valibot'

export interface ${options} {
  /** What /etc/motd says. */
  readonly message: string
}

/** Greets whoever logs in. */
export const ${factory} = definePlugin<${options}>()({
  name: '${name}',
  version: '0.1.0',
  code: import.meta.url,
  options: v.strictObject({ message: v.string() }),
  apply(hooks, { message }) {
    hooks.assemble.tap('motd', async (tree) => {
      if (message.includes('\\n')) throw new ZosError('MOTD_LINES', 'the message has several lines', { hint: 'say it in one' })
      return tree.delta().file('/etc/motd', \`\${message}\\n\`)
    })
  },
})
`,
    'plugin.test.ts': `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rejection, runPlugin } from '@zos/core/testing'
import { ${factory} } from './plugin.ts'

test('the message is in /etc/motd', async () => {
  const ran = await runPlugin(${factory}({ message: 'Hello.' }))
  assert.deepEqual(ran.changes, ['+ /etc/motd file 0644'])
  assert.equal(ran.text('/etc/motd'), 'Hello.\\n')
})

test('it has one line', async () => {
  assert.equal((await rejection(runPlugin(${factory}({ message: 'a\\nb' })))).code, 'MOTD_LINES')
})
`,
    'zos.config.ts': `// To try the plugin: zos build
import { defineConfig } from '@zos/core'
import { ${factory} } from './plugin.ts'

export default defineConfig({ name: 'try', plugins: [${factory}({ message: 'Hello.' })] })
`,
    'README.md': `# ${name}

A plugin of zos.

\`\`\`ts
import { ${factory} } from '${name}'

plugins: [${factory}({ message: 'Hello.' })]
\`\`\`

\`npm test\` runs it alone, \`npx zos build\` builds an image with it.
`,
    '.gitignore': 'node_modules/\ndist/\n.zos/\n',
  }
}
