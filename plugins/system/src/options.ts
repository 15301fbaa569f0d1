import * as v from 'valibot'

/** Of elfutils: it knows every architecture, where binutils' strip knows its own. */
export const stripTool = 'eu-strip'

/** Who the machine is, who may log in, and what of the base stays behind. */
export interface SystemOptions {
  /** Hostname, issue and os-release say the name of the image; on where nothing else is said (ZEROOS_BRANDING). */
  readonly branding?: boolean
  /** The name that they say: `Zero-OS`. The config's own where nothing is said. */
  readonly title?: string
  /** Hostname until the network gives another; the title in lower case where nothing is said. */
  readonly hostname?: string
  /** Root has no password, as after `passwd -d root`; on in debug, off in release (ZEROOS_PASSWORDLESS_ROOT). */
  readonly passwordlessRoot?: boolean
  /** Root's password as crypt(3) wrote it (`openssl passwd -6`): it is in the image as it stands here. */
  readonly rootPassword?: string
  /** Public keys that may log in as root, or the path of a file with one a line. No key, no way in by ssh. */
  readonly authorizedKeys?: string | readonly string[]
  /** Whether ssh, too, lets root in without a password where root has none. Off where nothing is said. */
  readonly sshEmptyPassword?: boolean
  /** Path of the script with which `/init` puts files into a debug image; a release image never has it. */
  readonly debugInjection?: string
  /** What is removed beside the usual (`remove`) and what of it stays (`keep`), as patterns; `false` removes nothing. */
  readonly cleanup?: false | { readonly remove?: readonly string[]; readonly keep?: readonly string[] }
  /** Programs and libraries lose symbols and debug information, but for those that `keep` names; `false` leaves all as they are. */
  readonly strip?: false | { readonly keep?: readonly string[] }
  /** Patterns of programs and libraries whose needs are not looked up in the image. */
  readonly unlinked?: readonly string[]
}

const line = v.pipe(
  v.string(),
  v.regex(/^[^\p{Cc}"$`\\]{1,64}$/u, 'expected one line of at most 64 characters without quotes, $ and \\'),
)
const pattern = v.pipe(v.string(), v.regex(/^\/[^\p{Cc}]+$/u, 'expected a pattern that begins with /'))
const patterns = v.exactOptional(v.array(pattern))

export const systemOptions: v.GenericSchema<SystemOptions> = v.pipe(
  v.strictObject({
    branding: v.exactOptional(v.boolean()),
    title: v.exactOptional(line),
    hostname: v.exactOptional(
      v.pipe(v.string(), v.regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a hostname, such as zero-os')),
    ),
    passwordlessRoot: v.exactOptional(v.boolean()),
    rootPassword: v.exactOptional(
      v.pipe(
        v.string(),
        v.regex(/^\$[0-9a-z]+\$[^\s:]{8,200}$/, 'expected what crypt(3) gives, such as openssl passwd -6 prints'),
      ),
    ),
    authorizedKeys: v.exactOptional(v.union([v.string(), v.array(v.string())])),
    sshEmptyPassword: v.exactOptional(v.boolean()),
    debugInjection: v.exactOptional(v.string()),
    cleanup: v.exactOptional(v.union([v.literal(false), v.strictObject({ remove: patterns, keep: patterns })])),
    strip: v.exactOptional(v.union([v.literal(false), v.strictObject({ keep: patterns })])),
    unlinked: patterns,
  }),
  v.check(
    ({ passwordlessRoot, rootPassword }) => !(passwordlessRoot === true && rootPassword !== undefined),
    'root has a password or none: give rootPassword or passwordlessRoot',
  ),
)
