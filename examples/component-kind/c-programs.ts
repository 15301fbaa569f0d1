// A kind of component: static C programs, each a folder of the project, compiled in the sandbox and remembered.
import { definePlugin, path, ref } from '@zos/core'
import * as v from 'valibot'

export interface CProgramsOptions {
  /** Folders of sources by the program's name: `{ hello: 'src' }` gives `/usr/bin/hello`. */
  readonly programs: Readonly<Record<string, string>>
}

export const cPrograms = definePlugin<CProgramsOptions>()({
  name: 'c-programs',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({ programs: v.record(v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]*$/)), v.string()) }),
  needs: [{ tool: 'gcc', install: 'apt-get install build-essential' }],
  refs: (id) => ({
    /** The program, for options of other plugins. */
    program: (name: string) => ref(id, name, 'program'),
  }),
  apply(hooks, { programs }, { id }) {
    hooks.resolve.tap('programs', (plan) => {
      for (const [name, folder] of Object.entries(programs)) {
        plan.source(name, path(folder))
        plan.component({ name, kind: 'c-program', options: null, sources: [name] })
      }
    })

    hooks.build.for('c-program').tap('compile', async ({ name }, ctx) => {
      const { tree: sources } = await ctx.fetched(name)
      const { tree } = await ctx.run({
        name: `gcc ${name}`,
        command: ['sh', '-euc', 'gcc -static -Os -s -o program src/*.c'],
        inputs: { src: sources! },
        outputs: ['program'],
        toolchain: await ctx.host({ tools: ['sh', 'gcc', 'as', 'ld'], packages: ['gcc', 'binutils', 'libc6-dev'] }),
      })
      const program = tree.get('/program')
      if (program?.kind !== 'file') throw new Error('gcc left no program')
      return { files: { program: program.blob } }
    })

    hooks.assemble.tap('programs', async (tree, ctx) => {
      const delta = tree.delta()
      for (const name of Object.keys(programs))
        delta.file(`/usr/bin/${name}`, await ctx.fileOf(ref(id, name, 'program')), { mode: 0o755 })
      return delta
    })
  },
})
