import { type CommandContext, ExitCode } from '@zos/core'
import { scriptNames } from '../format/write-apk.js'
import { rules } from '../install/rules.js'
import { accountsIn, installScripts, mayMatter } from '../install/scripts.js'
import { lockedPackages } from './locked.js'
import { packageNamed } from './packages.js'

/** Lists the packages of the image that have scripts, and what stands for them; with names it prints the scripts. */
export const scriptsCommand = async (ctx: CommandContext, names: readonly string[]): Promise<number> => {
  if (names.length > 0) {
    for (const name of names) await printScripts(ctx, name)
    return ExitCode.ok
  }
  for (const { name, scripts = [] } of await lockedPackages(ctx)) {
    if (scripts.length === 0) continue
    const standsFor = await whatStands(ctx, name, scripts)
    if (ctx.json) ctx.out(`${JSON.stringify({ package: name, scripts, rule: standsFor })}\n`)
    else ctx.out(`${name.padEnd(28)} ${scripts.join(' ').padEnd(44)} ${standsFor}\n`)
  }
  return ExitCode.ok
}

const whatStands = async (ctx: CommandContext, name: string, scripts: readonly string[]): Promise<string> => {
  if (rules[name]) return rules[name].without === undefined ? 'rule' : `rule; ${rules[name].without}`
  const own = installScripts.filter((script) => scripts.includes(script))
  if (own.length === 0) return 'not run when a package is installed'
  const { scripts: texts } = await packageNamed(ctx, name)
  const open = own.filter((script) => mayMatter(texts[script] ?? ''))
  if (open.length > 0) return `no rule for ${open.join(', ')}: zos apk scripts ${name}`
  const added = own.flatMap((script) => {
    const { users, groups } = accountsIn(texts[script] ?? '')
    return [...users, ...groups].map((one) => one.name)
  })
  return added.length > 0 ? `read: adds ${[...new Set(added)].join(', ')}` : 'read: does nothing here'
}

const printScripts = async (ctx: CommandContext, name: string): Promise<void> => {
  const { scripts } = await packageNamed(ctx, name)
  for (const script of scriptNames) {
    const text = scripts[script]
    if (text === undefined) continue
    if (ctx.json) ctx.out(`${JSON.stringify({ package: name, script, text })}\n`)
    else ctx.out(`# ${name}.${script}\n${text}${text.endsWith('\n') ? '' : '\n'}\n`)
  }
}
