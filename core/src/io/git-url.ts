import { ExitCode, ZosError } from '../error.js'

export type GitTransport = 'https' | 'http' | 'ssh' | 'git' | 'file'

const bad = (url: string, reason: string): ZosError =>
  new ZosError('GIT_URL', `'${url}' ${reason}`, {
    exit: ExitCode.fetch,
    hint: 'an address is https://…, ssh://…, user@host:path, git://…, file:///… or an absolute path',
  })

const hasControl = (text: string): boolean => [...text].some((character) => character < ' ' || character === '\x7f')

/** How an address is reached. Refuses `ext::` and other helpers, options in disguise, and relative paths: `GIT_URL`. */
export const gitTransport = (url: string): GitTransport => {
  if (url.length > 4096 || hasControl(url)) throw bad(url.slice(0, 80), 'is no git address')
  if (url.startsWith('/')) return 'file'
  const scheme = /^(https?|ssh|git|file):\/\/(?!-)/.exec(url)?.[1]
  if (scheme !== undefined) return scheme as GitTransport
  if (/^(?:[\w.][\w.-]*@)?[\w.][\w.-]*:(?![:/]{2}|-)[^\s]+$/.test(url) && !url.includes('::')) return 'ssh'
  throw bad(url, 'is no git address')
}

/** The address of a submodule as `.gitmodules` has it, where `./` and `../` are meant from the parent's address. */
export const submoduleUrl = (parent: string, url: string): string => {
  if (!/^\.\.?\//.test(url)) return url
  let base = parent.replace(/\/+$/, '')
  let rest = url
  for (;;) {
    if (rest.startsWith('./')) rest = rest.slice(2)
    else if (rest.startsWith('../')) {
      rest = rest.slice(3)
      const cut = /^(.*[^/:])(?:\/|:)[^/:]+$/.exec(base)?.[1]
      const host = /^[a-z]+:\/\/[^/]*$/.test(base)
      if (cut === undefined || host) throw bad(url, `leads above ${parent}`)
      base = cut
    } else break
  }
  const join = /^[\w.@-]+$/.test(base) && !parent.startsWith('/') ? ':' : '/'
  return `${base}${join}${rest}`
}

/** A submodule must not make a remote repository read the files of this machine: `GIT_URL`. */
export const checkSubmoduleUrl = (parent: string, url: string): string => {
  if (gitTransport(url) === 'file' && gitTransport(parent) !== 'file') {
    throw bad(url, `is a local submodule of the remote ${parent}`)
  }
  return url
}
