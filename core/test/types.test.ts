// The public types: what is wrong does not compile. `tsc -b` is the test; every expected error that is gone fails it.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { defineConfig, definePlugin, ref, wishToken } from '../dist/index.js'

interface LampOptions {
  readonly watts: number
  readonly color?: { readonly name: string; readonly warm: boolean }
}

const lampShade = wishToken<{ readonly size: number }, number>('lamp/shade')

const lamp = definePlugin<LampOptions>()({
  name: 'lamp',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({
    watts: v.number(),
    color: v.exactOptional(v.strictObject({ name: v.string(), warm: v.boolean() })),
  }),
  refs: (id) => ({ light: ref(id, 'bulb', 'light') }),
  apply(hooks, options) {
    hooks.resolve.tap('shade', (plan) => {
      plan.own(lampShade, (wishes) => wishes.length)
      plan.wish(lampShade, { size: options.watts })
      // @ts-expect-error a wish is of the token's type
      plan.wish(lampShade, 'large')
      // @ts-expect-error what is settled is of the token's type
      plan.own(lampShade, () => 'many')
    })
    hooks.assemble.tap('light', async (tree, ctx) => {
      const shades: number = ctx.settled(lampShade)
      return tree.delta().file('/light', String(shades))
    })
    // @ts-expect-error a tap of assemble gives a delta
    hooks.assemble.tap('nothing', async () => {})
    // @ts-expect-error findings are a list
    hooks.check.tap('nothing', async () => {})
    // @ts-expect-error there is no such hook
    hooks.demolish?.tap('x', () => {})
    // @ts-expect-error an artifact has trees, files and facts
    hooks.build.for('lamp').tap('build', async () => ({ tree: 1 }))
    // @ts-expect-error options are those of the plugin
    void options.volts
  },
})

const desk = lamp({ watts: 40 })
// @ts-expect-error an option of another type
lamp({ watts: 'forty' })
// @ts-expect-error an option that does not exist
lamp({ watts: 40, volts: 230 })
// @ts-expect-error an option that is missing
lamp()

const base = defineConfig({ name: 'room', plugins: [desk, lamp.as('second', { watts: 60 })] })
const dark = base.variant({ name: 'dark', plugins: { second: false, lamp: { color: { warm: true } } } })
// @ts-expect-error the base has no such plugin
base.variant({ name: 'x', plugins: { third: false } })
// @ts-expect-error a change has the option's type
base.variant({ name: 'x', plugins: { lamp: { watts: 'more' } } })
// @ts-expect-error a config has a name
defineConfig({ plugins: [] })
// @ts-expect-error architectures are those that are built
defineConfig({ name: 'x', arch: 'sparc', plugins: [] })

test('what the types allow works', () => {
  assert.is(desk.id, 'lamp')
  assert.is(desk.light.slot, 'light')
  assert.is(dark.changes.length, 1)
})

test.run()
