import { withoutAlternatives } from './alternatives.js'

/** Scripts that dpkg runs when it installs; those that it runs when it removes have no part in an image. */
export const installScripts = ['preinst', 'postinst'] as const

/** Sections that debhelper writes and that do nothing for a new installation that an image would need. */
const harmlessSections = [
  // They start, enable or restart services of another init, of which there is none here.
  'dh_installsystemd',
  'dh_installsystemduser',
  'dh_installinit',
  'dh_systemd_enable',
  'dh_systemd_start',
  'dh_installtmpfiles',
  // They carry configuration over from versions before, of which there are none here.
  'dh_installdeb',
  'dh_installconffiles',
  // They rebuild caches that work without: libraries, menus, compiled Python, fonts, manuals.
  'dh_makeshlibs',
  'dh_installmenu',
  'dh_installmime',
  'dh_python3',
  'dh_python2',
  'dh_icons',
  'dh_installman',
  'dh_installinfo',
  'dh_installcatalogs',
  'dh_installudev',
  'dh_installmodules',
  'dh_gconf',
  'dh_runit',
  'dh_dkms',
  'dh_bash-completion',
  'dh_installapparmor',
  'dh_apparmor',
]

const section = /^# Automatically added by (\S+)\n[\s\S]*?^# End automatically added section\n?/gm

/** Lines that do nothing for an image by themselves: how a script begins and ends, asks for its task, or ends a block. */
const idle = [
  /^set -[eux]+$/,
  /^(exit( [01])?|:|true|then|else|fi|esac|;;|\}|action="?\$1"?|umask 0?22)$/,
  /^\.? ?\/usr\/share\/debconf\/confmodule$/,
  /^db_(stop|version .*)$/,
  /^dpkg-maintscript-helper .*$/,
  /^if \[ "?\$(1|action)"? = ['"]?[a-z-]+['"]? \]( \|\| \[ "?\$1"? = ['"]?[a-z-]+['"]? \])*;? *(then)?$/,
  /^case "?\$(1|action|\{1\})"? in$/,
  /^\(?\*?[a-z|* -]*\)( *;;)?$/,
  /^echo ["'][a-z ]{0,40}called with unknown argument \\?[`'"]\\?\$1\\?["'`]{1,2}( 1?>&2)?$/,
]

/**
 * Whether an installation script may do something that an image needs: true, unless it consists of known sections of
 * debhelper, of alternatives that are read out of it, and of lines that do nothing. Reading, not running: in doubt it
 * is true.
 */
export const mayMatter = (script: string): boolean => {
  const rest = script.replace(/\r/g, '').replace(section, (whole, tool: string) => {
    return harmlessSections.includes(tool.replace(/\/.*$/, '')) ? '' : whole
  })
  return withoutAlternatives(rest)
    .split('\n')
    .map((line) => line.trim())
    .some((line) => line !== '' && !line.startsWith('#') && !idle.some((form) => form.test(line)))
}
