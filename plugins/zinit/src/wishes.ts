import { canonical, type Wish, wishToken, ZosError } from '@zos/core'
import { normalUnit } from './normal.js'
import type { UnitOptions } from './options.js'
import type { Unit } from './service.js'

/** A unit that another plugin asks for. */
export type WishedUnit = UnitOptions & { readonly name: string }

/** Asks for a unit in the image: `plan.wish(zinitService, { name: 'acmed', exec: '/usr/bin/acmed' })`. */
export const zinitService = wishToken<WishedUnit, readonly Unit[]>('zinit/service')

/** A unit as the config writes it, with its kind. `where` starts the message of an error. */
export const unitOf = (name: string, options: UnitOptions, where: string): Unit => {
  if (!('target' in options)) return normalUnit({ ...options, kind: 'service', name } as Unit, where)
  const { target, ...rest } = options
  return normalUnit({ ...rest, kind: 'target', name } as Unit, where)
}

/** All wished units by name; two that want one name for different things are `ZINIT_CONTRADICTION`. */
export const settleUnits = (wishes: readonly Wish<WishedUnit>[]): readonly Unit[] => {
  const found = new Map<string, { unit: Unit; by: string }>()
  for (const { value, by } of wishes) {
    const { name, ...options } = value
    const unit = unitOf(name, options as UnitOptions, `${by} wishes for the unit ${name}`)
    const first = found.get(name)
    if (first && canonical(first.unit) !== canonical(unit)) {
      throw new ZosError('ZINIT_CONTRADICTION', `${first.by} and ${by} both want a unit ${name}, and not the same`, {
        subject: name,
        hint: 'one of them needs another name',
        data: { [first.by]: first.unit, [by]: unit },
      })
    }
    if (!first) found.set(name, { unit, by })
  }
  return [...found.values()].map(({ unit }) => unit).sort((a, b) => (a.name < b.name ? -1 : 1))
}
