import { ZosError } from '@zos/core'
import { confLines } from './conf-lines.js'

/** A line of `firmware.conf` or a wish: what is wanted below `/lib/firmware`, and by whom. */
export interface FirmwarePattern {
  /** A file name, a glob with `*` and `?` inside one path part, or a folder ending in `/`. */
  readonly pattern: string
  readonly by: string
}

const code = 'KERNEL_FIRMWARE_CONF'
const limit = 1024 * 1024
const patternLimit = 1024

/** Reads `firmware.conf`: a file name, glob or folder (`amdgpu/`) a line, below `/lib/firmware`; `#` starts a comment. */
export const parseFirmwareConf = (text: string, file: string): FirmwarePattern[] =>
  confLines(text, { file, code, limit }).map(({ number, text: line }) => firmwarePattern(line, `${file}:${number}`))

/** Checks one pattern. Absolute paths, `..` and glob characters other than `*` and `?` are errors naming `by`. */
export const firmwarePattern = (text: string, by: string): FirmwarePattern => {
  const parts = (text.endsWith('/') ? text.slice(0, -1) : text).split('/')
  const fail = (found: string, hint: string): never => {
    throw new ZosError(code, `${by}: ${JSON.stringify(text.slice(0, 80))} ${found}`, { hint })
  }
  if (text.length > patternLimit) fail(`is longer than ${patternLimit} characters`, 'name a folder instead')
  if (/^\/?(?:usr\/)?lib\/firmware(?:\/|$)/.test(text))
    fail('repeats /lib/firmware', 'leave it out: i915/ or rtl_nic/*.fw')
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    fail('is no path below /lib/firmware', 'write it like rtl_nic/rtl8168h-2.fw, rtl_nic/*.fw or rtl_nic/')
  }
  if (/[\s[\]{}\\]/.test(text)) fail('has a blank, a bracket or a backslash', 'a glob knows * and ? only')
  if (text.includes('**')) fail('has **', 'name the folder: rtl_nic/')
  if (text.endsWith('/') && /[*?]/.test(text))
    fail('is a folder with a glob', 'name the folder, or the files by a glob')
  return { pattern: text, by }
}
