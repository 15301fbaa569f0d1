// What 50,000 records cost: run after a build, `node bench/tree.mjs [RECORDS]`. Times are the best of five, in ms.
import { createHash } from 'node:crypto'
import { DeltaBuilder } from '../core/dist/model/delta.js'
import { decodeDelta, encodeDelta } from '../core/dist/model/delta-codec.js'
import { FileTree } from '../core/dist/model/tree.js'

const wanted = Number(process.argv[2] ?? 50_000)

/** Shaped like a distribution: many small directories, one with 2,000 files, some links and hard links, 300 packages. */
function* records() {
  const origins = Array.from({ length: 300 }, (_, i) => ({
    plugin: 'debian',
    package: `package-${i}`,
    source: 'bookworm',
  }))
  yield { path: '/bin', kind: 'symlink', mode: 0o777, uid: 0, gid: 0, target: 'usr/bin', origin: origins[0] }
  for (let i = 0; i < wanted - 1; i++) {
    const origin = origins[Math.floor((i * 300) / wanted)]
    const directory =
      i % 25 === 0 ? '/var/lib/dpkg/info' : `/usr/share/part-${(i * 7) % 40}/group-${i % 170}/set-${i % 3}`
    const path = `${directory}/record-${i}.data`
    const attributes = { mode: 0o644, uid: 0, gid: 0, origin }
    if (i % 20 === 3) yield { path, kind: 'symlink', ...attributes, mode: 0o777, target: `../record-${i - 1}.data` }
    else {
      const twin = i % 500 === 1 || i % 500 === 2
      const size = twin ? Math.floor(i / 500) : i
      const sha256 = createHash('sha256').update(`${size}`).digest('hex')
      yield {
        path,
        kind: 'file',
        ...attributes,
        blob: { sha256, size },
        ...(twin && { link: `/usr/share/twin-${size}` }),
      }
    }
  }
}

const measure = (name, limit, run, prepare = () => undefined) => {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    const input = prepare()
    const start = performance.now()
    run(input)
    best = Math.min(best, performance.now() - start)
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(1).padStart(8)} ms  (aim ${limit})`)
}

const all = [...records()]
const bare = all.map(({ origin, ...record }) => record)
const tree = FileTree.from(all)
const by = { plugin: 'bench' }
const bytes = tree.encode()
const bulk = new DeltaBuilder().tree(tree).build()
const single = new DeltaBuilder()
for (const { path, blob, target, kind } of all) {
  if (kind === 'file') single.file(path, blob)
  else single.symlink(path, target)
}
const files = single.build()
const one = new DeltaBuilder().file('/usr/share/part-7/group-7/set-1/new', 'new').build()
const crowded = new DeltaBuilder().file('/var/lib/dpkg/info/new', 'new').build()
const changed = tree.apply(one, by)
console.log(`${tree.count} records, ${(bytes.length / 1e6).toFixed(1)} MB encoded, digest ${tree.digest}\n`)

measure('from + digest', 400, () => FileTree.from(all).digest)
measure(
  'digest',
  200,
  (fresh) => fresh.digest,
  () => FileTree.from(all),
)
measure('records', 100, () => Array.from(tree.records()).length)
measure('apply tree on empty', 100, () => FileTree.empty.apply(bulk, by).count)
measure(
  'apply tree without origins + digest',
  400,
  (delta) => FileTree.empty.apply(delta, by).digest,
  () => new DeltaBuilder().tree(FileTree.from(bare)).build(),
)
measure('apply tree on itself', 400, () => tree.apply(bulk, by).count)
measure('apply single records', 600, () => FileTree.empty.apply(files, by).count)
measure('apply one file + digest', 5, () => tree.apply(one, by).digest)
measure('apply one file in a full directory + digest', 5, () => tree.apply(crowded, by).digest)
measure('diff of one file', 5, () => [...tree.diff(changed)].length)
measure('diff against empty', 200, () => [...FileTree.empty.diff(tree)].length)
measure('filter', 200, () => tree.filter(({ path }) => !path.includes('7')).count)
measure('glob /usr/share/part-7/**/*9.data', 50, () => tree.glob('/usr/share/part-7/**/*9.data').length)
measure('glob /**/*9.data', 200, () => tree.glob('/**/*9.data').length)
measure('encode', 400, () => tree.encode().length)
measure('decode', 400, () => FileTree.decode(bytes).count)
measure('encodeDelta of single records', 600, () => encodeDelta(files).length)
measure(
  'decodeDelta of single records',
  900,
  (encoded) => decodeDelta(encoded).ops.length,
  () => encodeDelta(files),
)
