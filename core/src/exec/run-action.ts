// Runs an action, or takes its remembered result; the same action runs once, also when two builds want it.
import { rm, writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Session } from '../engine/session.js'
import { isTreeWhole, loadTree, type StoredTree, storeTree } from '../engine/stored-artifact.js'
import { elsewhereInside } from '../engine/verify.js'
import { ZosError } from '../error.js'
import { writeFolder } from '../io/folder-write.js'
import { runProcess } from '../io/process.js'
import type { Action, ActionResult } from '../model/action.js'
import { digestOf, type Json } from '../model/canonical.js'
import type { Capsule } from '../model/capsule.js'
import type { FileTree } from '../model/tree.js'
import { actionFailure } from './action-failure.js'
import { actionCapsule, actionLog } from './action-files.js'
import { actionKey, inputRoot } from './action-key.js'
import { collectOutputs } from './action-outputs.js'
import { slotsOf } from './action-slots.js'
import { capsuleOf, saveCapsule, shellCommand } from './capsule-file.js'
import { checkExecutor, defaultExecutor, type ExecutorWorld, executorCommand } from './executor.js'
import { workPlace } from './work-place.js'

interface StoredResult {
  readonly tree: StoredTree
  readonly stdout: string
  /** For `zos shell`. */
  readonly capsule: Capsule
}

/** Times of materialised inputs, seconds since 1970: fixed, since make and cargo look at them. */
const inputTime = 315_532_800
/** Lines of output that an error shows where none of them says `error`. */
const shownLines = 8
/** Of compilers and linkers; with asterisks, of the kernel's Kconfig. */
const errorLine = /(^|\s)(error(\[E\d+\])?:|fatal:|undefined reference|No space left)|^\*{3} +\S/
/** Standard output is kept up to here; the log has all of it. Characters. */
const stdoutLimit = 1 << 20

const inFlight = new WeakMap<Session, Map<string, Promise<ActionResult>>>()

const checkPath = (action: Action, what: string, path: string): void => {
  const isPlain = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !path.includes('\0')
  if (isPlain) return
  throw new ZosError('ACTION_PATH', `${action.name}: ${what} ${JSON.stringify(path)} is not below the working folder`, {
    hint: 'paths of an action are relative, without "." and ".."',
  })
}

/** Everything that an action names lies below its working folder; the whole folder is an input, never an output. */
const checkPaths = (action: Action): void => {
  for (const path of action.outputs) checkPath(action, 'the output', path)
  for (const path of Object.keys(action.inputs)) if (path !== '') checkPath(action, 'the input', path)
  if (action.cwd) checkPath(action, 'the folder', action.cwd)
}

/** `onKey` gets the key of the action before it runs or its result is taken. */
export const runAction = async (
  session: Session,
  step: string,
  action: Action,
  onKey: (key: string) => void,
): Promise<ActionResult> => {
  checkPaths(action)
  const input = inputRoot(action)
  const key = actionKey(action, input, session.flags.executor)
  onKey(key)
  const running = inFlight.get(session) ?? new Map<string, Promise<ActionResult>>()
  inFlight.set(session, running)
  const known = running.get(key)
  if (known) return known
  const promise = once(session, step, action, input, key).finally(() => running.delete(key))
  running.set(key, promise)
  return promise
}

const recall = async ({ store, flags }: Session, step: string, key: string): Promise<ActionResult | undefined> => {
  if (flags.force(step, { phase: 'build' })) return undefined
  const stored = store.result('action', key) as StoredResult | undefined
  if (!stored || (store.distrust && !(await isTreeWhole(store, stored.tree)))) return undefined
  return { tree: await loadTree(store, stored.tree), stdout: stored.stdout }
}

const once = async (
  session: Session,
  step: string,
  action: Action,
  input: FileTree,
  key: string,
): Promise<ActionResult> => {
  const { store, signal } = session
  const hit = await recall(session, step, key)
  if (hit) {
    if (session.verification.isOn) await verify(session, step, action, input, key, hit)
    return hit
  }
  while (!store.claim(key)) {
    session.report.progress(step, 'waiting for another build that does the same')
    await pause(200, undefined, { signal })
    const theirs = await recall(session, step, key)
    if (theirs) return theirs
  }
  try {
    // The other may have ended between the look and the claim.
    const theirs = await recall(session, step, key)
    if (theirs) return theirs
    const result = await limited(session, () => execute(session, step, action, input, key))
    const capsule = await capsuleOf(session, step, action, input, key)
    const stored = { tree: await storeTree(store, result.tree), stdout: result.stdout, capsule } satisfies StoredResult
    await store.setResult('action', key, stored as unknown as Json)
    return result
  } finally {
    store.release(key)
  }
}

/** Waits for its turn, and is waited for when the session ends. */
const limited = async <T>(session: Session, task: () => Promise<T>): Promise<T> => {
  const run = session.limiter(task)
  session.running.add(run)
  return await run.finally(() => session.running.delete(run))
}

/** Runs an action whose result is there again, in another locale and time zone, and compares. */
const verify = (
  session: Session,
  step: string,
  action: Action,
  input: FileTree,
  key: string,
  hit: ActionResult,
): Promise<void> => {
  const stored = async ({ tree, stdout }: ActionResult): Promise<Json> =>
    ({ tree: await storeTree(session.store, tree), stdout }) as unknown as Json
  const again = async (): Promise<Json> =>
    stored(await limited(session, () => execute(session, `${step}-again`, action, input, key, elsewhereInside)))
  return stored(hit).then((before) =>
    session.verification.compare('action', `${step} ${action.name}`, key, before, again),
  )
}

/** Another executor than the default is said once. */
const replaced = new WeakSet<Session>()

const worldOf = async (session: Session, { toolchain }: Action): Promise<ExecutorWorld> => {
  const { flags, store, env, signal, report } = session
  const executor = flags.isExecutorAsked ? flags.executor : await defaultExecutor(toolchain.root !== undefined, env)
  if (flags.isExecutorAsked) await checkExecutor(executor, env)
  else if (executor !== flags.executor && !replaced.has(session)) {
    replaced.add(session)
    report.warn({
      code: 'EXECUTOR_REPLACED',
      message: `bubblewrap does not work here: commands run in containers of ${executor}`,
      hint: `without this warning: zos build --executor ${executor}; what is wrong with bubblewrap: zos doctor`,
    })
  }
  return { executor, ...(flags.container && { container: flags.container }), store, env, signal }
}

const execute = async (
  session: Session,
  step: string,
  action: Action,
  input: FileTree,
  key: string,
  surroundings: Readonly<Record<string, string>> = {},
): Promise<ActionResult> => {
  const world = worldOf(session, action)
  // It is looked for while the inputs are written, and waited for after them.
  world.catch(() => {})
  const place = await workPlace(session, step, key)
  try {
    return await executeIn(place.folder, world, session, step, action, input, key, surroundings)
  } finally {
    await place.done()
  }
}

const executeIn = async (
  folder: string,
  found: Promise<ExecutorWorld>,
  session: Session,
  step: string,
  action: Action,
  input: FileTree,
  key: string,
  surroundings: Readonly<Record<string, string>>,
): Promise<ActionResult> => {
  const { store, signal } = session
  const begun = performance.now()
  const log = actionLog(store.logFolder, session.config.name, step, action.name)
  const capsuleFile = actionCapsule(store.logFolder, session.config.name, step, action.name)
  await rm(capsuleFile, { force: true })
  await rm(log, { force: true })
  session.report.progress(step, `${action.name}: preparing ${input.count} inputs`)
  await writeFolder(input.records(), store.blobs, folder, {
    epoch: inputTime,
    from: store.blobs,
  })
  const world = await found
  session.report.span?.(`${step}: ${action.name}: inputs`, 'action', begun, { inputs: input.count })
  const started = performance.now()
  const slots = slotsOf(session, world.executor)
  const command = await executorCommand(world, {
    folder,
    cwd: action.cwd ?? '',
    command: action.command,
    // How many jobs a tool runs at once is not part of what is built.
    env: { ...slots.env, ...surroundings, ...action.env },
    toolchain: action.toolchain,
  })
  await writeFile(log, `$ ${action.command.join(' ')}\n`)
  let stdout = ''
  let lines = 1
  let firstError: number | undefined
  const errors: string[] = []
  const last: string[] = []
  const unit = action.unit === undefined ? undefined : new RegExp(action.unit)
  let units = 0
  // What the last run of the same step had; another config has other numbers, which progress can live with.
  const unitKey = digestOf({ units: [session.config.name, step, action.name] })
  const expected = unit ? (store.result('units', unitKey) as number | undefined) : undefined
  try {
    await runProcess({
      ...command,
      ...(slots.descriptor !== undefined && { descriptor: slots.descriptor }),
      signal,
      logFile: log,
      stdout: 'lines',
      onLine: (line, stream) => {
        lines++
        last.push(line)
        if (last.length > shownLines) last.shift()
        if (stream === 'stdout' && stdout.length < stdoutLimit) stdout += `${line}\n`
        if (errorLine.test(line) && errors.length < 5) {
          firstError ??= lines
          errors.push(line.trim())
        }
        if (unit?.test(line)) units++
        if (line.trim() !== '') session.report.progress(step, line.trim(), ...(unit ? [units, expected] : []))
      },
    })
  } catch (cause) {
    signal.throwIfAborted()
    const message = (errors.length > 0 ? errors : last.length > 0 ? last : [(cause as Error).message]).join('\n  ')
    // Where there is no room for a capsule, that the command failed is what counts.
    const capsule = await capsuleOf(session, step, action, input, key)
      .then((made) => saveCapsule(capsuleFile, made, message, log))
      .then(
        () => capsuleFile,
        () => undefined,
      )
    const place = { log, line: firstError, capsule, shell: shellCommand(session, step) }
    throw actionFailure(action, cause as Error, errors.length > 0 ? errors : last, place)
  } finally {
    slots.leave()
  }
  session.report.span?.(`${step}: ${action.name}`, 'action', started, { key })
  const ended = performance.now()
  if (unit) await store.setResult('units', unitKey, units)
  const tree = await collectOutputs(session.store, action, folder, log)
  session.report.span?.(`${step}: ${action.name}: outputs`, 'action', ended, { outputs: tree.count })
  return { tree, stdout }
}
