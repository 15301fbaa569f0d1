export type {
  CommandContext,
  CommandDefinition,
  CommandLock,
  CommandOption,
  CommandProcess,
  HostFile,
  HostRecord,
} from './command.js'
export { closest } from './config/closest.js'
export type {
  ConfigInput,
  ConfigModule,
  InitramfsOptions,
  SizeOptions,
  UserConfig,
  VariantConfig,
} from './config/define.js'
export { defineConfig } from './config/define.js'
export type { Secret } from './config/values.js'
export { refOption, secret, secretOption } from './config/values.js'
export type {
  Arch,
  FetchContext,
  HostCommand,
  Mode,
  PackContext,
  PinEntry,
  PinnedPlan,
  Plan,
  ProjectReader,
  PublishContext,
  RequestedRef,
  Scratch,
  Settings,
  Settled,
  TapContext,
  TreeView,
} from './context.js'
export { ExitCode, isZosError, ZosError } from './error.js'
export type { HookName, Hooks, TapOptions, Taps } from './hooks.js'
export { parseObjectUrl, shownObjectUrl } from './io/object-location.js'
export { type Action, type ActionResult, actionFolder } from './model/action.js'
export { type Artifact, isRef, type Ref, ref } from './model/artifact.js'
export type { BlobReader, Blobs, BlobWriter } from './model/blobs.js'
export { canonical, digestOf, type Json, sha256 } from './model/canonical.js'
export type { Component, ComponentSpec } from './model/component.js'
export { type Delta, DeltaBuilder } from './model/delta.js'
export type { Blob, Entry, FileEntry, Origin, TreeRecord } from './model/entry.js'
export type { Manifest, ManifestOutput } from './model/manifest.js'
export type {
  BucketLocation,
  FolderLocation,
  ObjectContent,
  ObjectInfo,
  ObjectLocation,
  ObjectStore,
  PutOptions,
} from './model/object-store.js'
export type { Finding, Output, OutputSpec, Packed, Receipt } from './model/output.js'
export type { Package } from './model/package.js'
export { type Fetched, git, http, type PinnedSource, path, type Source } from './model/source.js'
export type { HostToolchainSpec, Need, Toolchain } from './model/toolchain.js'
export { FileTree } from './model/tree.js'
export { type Wish, type WishToken, wishToken } from './model/wish.js'
export { type Descriptor, definePlugin, type PluginDefinition, type PluginFactory } from './plugin.js'
export { sizeText } from './report/words.js'
