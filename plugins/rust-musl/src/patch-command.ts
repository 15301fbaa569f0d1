import type { Command } from './sysroot.js'

/**
 * Applies unified diffs to the sources in `src`, all or none, without fuzz: a patch that does not fit any more is an
 * error that names file and line. `count` patches lie in `patches/0.patch` and so on.
 */
export const patchCommand = (count: number): Command => ({
  command: [
    ...['git', 'apply', '--whitespace=nowarn'],
    ...Array.from({ length: count }, (_, index) => `../patches/${index}.patch`),
  ],
  // Without these git would look for a repository and for the user's settings.
  env: { GIT_CEILING_DIRECTORIES: '/', GIT_CONFIG_NOSYSTEM: '1', GIT_DIR: '/build/none' },
  cwd: 'src',
  outputs: ['src'],
})
