import type { Session } from './session.js'

/** The lock names the toolchain; another one gives other bytes, which is said. */
export const noteToolchain = (
  session: Session,
  plugin: string,
  { identity, title }: { identity: string; title: string },
): void => {
  const key = `${plugin}: ${title
    .split(', ')
    .map((tool) => tool.split(' ')[0])
    .join(', ')}`
  session.toolchains.set(key, { identity, title })
  const locked = session.lock.toolchain(key)
  if (!locked || session.flags.update) session.lock.setToolchain(key, { identity, title })
  else if (locked.identity !== identity)
    session.report.warn({
      code: 'TOOLCHAIN_DIFFERS',
      plugin,
      message: `the lock was made with ${locked.title}, this host has ${title === locked.title ? 'another build of the same' : title}: outputs may differ in bytes`,
      hint: 'zos update takes this host’s toolchain into the lock',
    })
}
