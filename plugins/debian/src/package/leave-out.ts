/** What explains a package but does not run: documentation, manuals, translations, and data for Debian's own checks. */
const documentation = /^\/usr\/share\/(doc|doc-base|man|info|locale|lintian|bug|linda|help|gtk-doc|gnome\/help)\//

/** Licences stay, whatever else goes: they ask for that. */
const licence = /^\/usr\/share\/doc\/[^/]+\/(copyright|COPYING|LICEN[CS]E|NOTICE)[^/]*$/

/** A link or folder is kept when something kept is below it; so only files and links are judged. */
export const isDocumentation = (path: string): boolean => documentation.test(path) && !licence.test(path)
