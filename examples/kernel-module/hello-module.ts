// A module that is not in the kernel's sources, as a component: compiled against the headers of the kernel that the config
// builds, put into the image, and loaded by a unit.
import { definePlugin, type Ref, ref, refOption } from '@zos/core'
import { zinitService } from '@zos/zinit'
import * as v from 'valibot'

export interface HelloModuleOptions {
  /** The kernel, compiled from source: `linux.kernel`. */
  readonly kernel: Ref
  /** Folder of the module's sources in the project. */
  readonly sources: string
}

const place = '/usr/lib/hello/hello.ko'

export const helloModule = definePlugin<HelloModuleOptions>()({
  name: 'hello-module',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({ kernel: refOption, sources: v.string() }),
  needs: [{ tool: 'gcc', install: 'apt-get install build-essential' }],
  apply(hooks, { kernel, sources }, { id }) {
    hooks.resolve.tap('hello', (plan) => {
      plan.component({ name: 'module', kind: 'hello-module', options: {}, needs: [kernel] })
      plan.wish(zinitService, { name: 'hello-module', exec: `/sbin/insmod ${place}`, oneshot: true })
    })

    hooks.build.for('hello-module').tap('compile', async (_, ctx) => {
      const { tree } = await ctx.run({
        name: 'hello.ko',
        command: [
          '/bin/sh',
          '-euc',
          'mkdir headers && tar --zstd -xf headers.tar.zst -C headers && make -C headers M=$PWD/src modules',
        ],
        inputs: {
          'headers.tar.zst': await ctx.fileOf({ ...kernel, slot: 'headers' }),
          src: await ctx.project.folder(sources),
        },
        outputs: ['src/hello.ko'],
        toolchain: await ctx.host({ tools: ['make', 'gcc', 'ld', 'tar', 'zstd'], packages: ['gcc', 'binutils'] }),
      })
      const module = tree.get('/src/hello.ko')
      if (module?.kind !== 'file') throw new Error('no module was made')
      return { files: { module: module.blob } }
    })

    hooks.assemble.tap('hello', async (tree, ctx) =>
      tree.delta().file(place, await ctx.fileOf(ref(id, 'module', 'module'))),
    )
  },
})
