// The test kit: `@zos/core/testing`. Works with every test runner; nothing in it touches the machine.
export { errorOf, rejection, survives } from './errors.js'
export { MemoryBlobs } from './memory-blobs.js'
export { type Given, type Ran, runPlugin } from './run-plugin.js'
export { type TreeContent, treeChanges, treeOf } from './trees.js'
