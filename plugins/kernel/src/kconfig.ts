// The kernel's Kconfig files, as far as reasons are looked for in them: which symbols there are, what they depend on, and
// what selects them. Format: the kernel's Documentation/kbuild/kconfig-language.rst.
import { ZosError } from '@zos/core'

/** One definition of a symbol; it may have several. Symbols are without `CONFIG_`. */
export interface KconfigSymbol {
  readonly symbol: string
  readonly file: string
  readonly line: number
  type: 'bool' | 'tristate' | 'int' | 'hex' | 'string' | undefined
  /** Whether a person can set it. */
  hasPrompt: boolean
  /** Everything that it depends on, with `if` and `menu` around it: all must hold. */
  readonly depends: readonly string[]
}

export interface KconfigSelect {
  readonly by: string
  readonly condition: string | undefined
}

export interface Kconfig {
  readonly symbols: ReadonlyMap<string, readonly KconfigSymbol[]>
  /** What a symbol is selected by. */
  readonly selects: ReadonlyMap<string, readonly KconfigSelect[]>
}

/** Nesting of `source`; the kernel's own is below 10. */
const maxDepth = 32

type Definition = KconfigSymbol & { readonly depends: string[] }

/** Reads all files from `Kconfig` on. `files` by path from the sources' root; one that is missing is left out. */
export const parseKconfig = (files: ReadonlyMap<string, string>, sourceArch: string): Kconfig => {
  const symbols = new Map<string, Definition[]>()
  const selects = new Map<string, KconfigSelect[]>()
  /** Conditions of what is open: `if`, `menu`, `choice`. */
  const open: string[][] = []

  const read = (file: string, depth: number): void => {
    if (depth > maxDepth) throw new ZosError('KERNEL_KCONFIG', `${file}: more than ${maxDepth} files deep`)
    let current: Definition | undefined
    for (const { text, line } of statements(files.get(file) ?? '')) {
      const [, keyword = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? []
      switch (keyword) {
        case 'config':
        case 'menuconfig':
          current = { symbol: rest, file, line, type: undefined, hasPrompt: false, depends: open.flat() }
          put(symbols, rest, current)
          break
        case 'if':
          open.push([rest])
          current = undefined
          break
        case 'menu':
        case 'choice':
          open.push([])
          current = undefined
          break
        case 'endif':
        case 'endmenu':
        case 'endchoice':
          open.pop()
          current = undefined
          break
        case 'source':
          current = undefined
          read(rest.replace(/^"(.*)"$/, '$1').replaceAll('$(SRCARCH)', sourceArch), depth + 1)
          break
        case 'depends': {
          const condition = rest.replace(/^on\s+/, '')
          ;(current?.depends ?? open.at(-1))?.push(condition)
          break
        }
        case 'select': {
          const [, symbol = '', condition] = /^(\S+)(?:\s+if\s+(.*))?$/s.exec(rest) ?? []
          if (current) put(selects, symbol, { by: current.symbol, condition })
          break
        }
        case 'prompt':
          if (current) current.hasPrompt = true
          break
        case 'comment':
          current = undefined
          break
        default: {
          const [, type] = /^(?:def_)?(bool|tristate|int|hex|string)$/.exec(keyword) ?? []
          if (!current || type === undefined) break
          current.type = type as NonNullable<KconfigSymbol['type']>
          if (/^["']/.test(rest) && !keyword.startsWith('def_')) current.hasPrompt = true
        }
      }
    }
  }
  read('Kconfig', 0)
  return { symbols, selects }
}

const put = <T>(map: Map<string, T[]>, key: string, value: T): void => {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

const indentOf = (line: string): number => line.replaceAll('\t', '        ').search(/\S/)

/** Statements with the number of their line; help texts, comments and empty lines are left out. */
function* statements(text: string): Generator<{ readonly text: string; readonly line: number }> {
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1
    let whole = lines[at]!
    while (whole.endsWith('\\') && at + 1 < lines.length) whole = `${whole.slice(0, -1)} ${lines[++at]!.trim()}`
    const statement = whole.trim()
    if (statement === '' || statement.startsWith('#')) continue
    if (statement !== 'help' && statement !== '---help---') {
      yield { text: statement.replace(/\s+#[^"']*$/, ''), line }
      continue
    }
    // The first line of the text says how far in it is; it ends where something stands further out.
    let next = at + 1
    while (next < lines.length && lines[next]!.trim() === '') next++
    const indent = next < lines.length ? indentOf(lines[next]!) : 0
    if (indent === 0) continue
    while (next < lines.length && (lines[next]!.trim() === '' || indentOf(lines[next]!) >= indent)) next++
    at = next - 1
  }
}
