import { ZosError } from '@zos/core'
import { isVersion, type VersionOperator, versionHolds } from './version.js'

/** `name:qualifier (operator version)`: one package that would do, or that must not be there. */
export interface Relation {
  readonly name: string
  /** After the colon: `any`, `native` or an architecture. */
  readonly qualifier?: string
  readonly operator?: VersionOperator
  readonly version?: string
}

/** `a | b | c`: any one of them does; the first that can be had is taken. */
export type Alternatives = readonly Relation[]

/** A name that a package stands in for; without a version it satisfies no versioned relation. */
export interface Provided {
  readonly name: string
  readonly version?: string
}

/** What a field is read for, and what is named in its errors. */
export interface DependencyContext {
  /** `openssh-server 1:9.2p1-2, Depends`. */
  readonly subject: string
  /** For `[amd64 !i386]`, which source packages use: terms for other architectures are left out. */
  readonly architecture?: string
}

const limits = { length: 1024 * 1024, relations: 20_000, term: 1000 }

const operators: Readonly<Record<string, VersionOperator>> = {
  '<<': '<<',
  '<=': '<=',
  '=': '=',
  '>=': '>=',
  '>>': '>>',
  // deb-control(5): the obsolete spellings mean "or equal".
  '<': '<=',
  '>': '>=',
}

const relationForm =
  /^([a-z0-9A-Z][a-z0-9A-Z+._-]*)(?::([a-z0-9][a-z0-9-]*))?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s()]+)\s*\))?\s*((?:\[[^\][]*\]\s*)?)((?:<[^<>]*>\s*)*)$/

const holdsForArchitecture = (list: string, architecture: string): boolean => {
  const terms = list.trim().slice(1, -1).trim().split(/\s+/)
  const matches = (term: string) => term === 'any' || term === architecture || term === `any-${architecture}`
  if (terms.every((term) => term.startsWith('!'))) return !terms.some((term) => matches(term.slice(1)))
  return terms.some(matches)
}

/** No build profile is ever active here: `<!nocheck>` holds, `<stage1>` does not. Formulas are or-ed. */
const holdsWithoutProfiles = (formulas: string): boolean =>
  formulas
    .split('>')
    .filter((formula) => formula.trim() !== '')
    .some((formula) =>
      formula
        .trim()
        .slice(1)
        .trim()
        .split(/\s+/)
        .every((term) => term.startsWith('!')),
    )

/**
 * `Depends`, `Conflicts` and their like (deb-control(5)): groups of alternatives, all of which have to hold.
 * Throws `DEBIAN_DEPENDENCY` naming the subject and the term.
 */
export const parseDependency = (text: string, context: DependencyContext): Alternatives[] => {
  if (text.length > limits.length) throw wrong(context, text, `it is longer than ${limits.length} characters`)
  const groups: Alternatives[] = []
  let relations = 0
  for (const part of text.split(',')) {
    // An empty term between commas is allowed, as dpkg allows it.
    if (part.trim() === '') continue
    const alternatives: Relation[] = []
    for (const term of part.split('|')) {
      if (++relations > limits.relations) throw wrong(context, term, `there are more than ${limits.relations} terms`)
      const relation = parseRelation(term.trim(), context)
      if (relation) alternatives.push(relation)
    }
    if (alternatives.length > 0) groups.push(alternatives)
  }
  return groups
}

const parseRelation = (term: string, context: DependencyContext): Relation | undefined => {
  if (term.length > limits.term) throw wrong(context, term, `it is longer than ${limits.term} characters`)
  const match = relationForm.exec(term)
  if (!match) throw wrong(context, term, "expected 'name', 'name (>= version)' or 'name:any'")
  const [, name = '', qualifier, operator, version, architectures, profiles] = match
  if (architectures && context.architecture && !holdsForArchitecture(architectures, context.architecture)) return
  if (profiles && !holdsWithoutProfiles(profiles)) return
  if (operator === undefined || version === undefined) return { name, ...(qualifier && { qualifier }) }
  if (!isVersion(version)) throw wrong(context, term, `'${version}' is not a version`)
  return { name, ...(qualifier && { qualifier }), operator: operators[operator]!, version }
}

/** `Provides`: names, with `(= version)` or without. Throws `DEBIAN_DEPENDENCY`. */
export const parseProvides = (text: string, context: DependencyContext): Provided[] =>
  parseDependency(text, context).map((group) => {
    const [relation, second] = group
    if (!relation || second) throw wrong(context, formatAlternatives(group), 'a package provides no alternatives')
    if (relation.operator && relation.operator !== '=')
      throw wrong(context, formatRelation(relation), 'a package provides one version, by (= version)')
    return { name: relation.name, ...(relation.version && { version: relation.version }) }
  })

/** Whether a package of this version answers the relation; its name has been compared already. */
export const versionAnswers = (relation: Relation, version: string | undefined): boolean => {
  if (relation.operator === undefined || relation.version === undefined) return true
  return version !== undefined && versionHolds(version, relation.operator, relation.version)
}

export const formatRelation = ({ name, qualifier, operator, version }: Relation): string =>
  `${name}${qualifier ? `:${qualifier}` : ''}${operator ? ` (${operator} ${version})` : ''}`

export const formatAlternatives = (alternatives: Alternatives): string => alternatives.map(formatRelation).join(' | ')

const wrong = ({ subject }: DependencyContext, term: string, why: string): ZosError =>
  new ZosError('DEBIAN_DEPENDENCY', `${subject}: '${term.slice(0, 120)}' cannot be read: ${why}`)
