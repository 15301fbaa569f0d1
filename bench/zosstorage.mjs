// How long zosstorage takes for an empty virtio disk of 40 GiB, and on every start after that, in a virtual machine with the
// quickstart's image. Run after its build: node bench/zosstorage.mjs. Fails above 100 ms for a rerun beyond process start.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { bios, boot, folder, initramfsOf } from '../.test/disk-machine.js'
import { reportOf, section } from '../.test/disk-report.js'

const runs = 50
const limit = 100

const repeat = (name, command) => `
before=$(cut -d ' ' -f 1 /proc/uptime); n=0
while [ $n -lt ${runs} ]; do ${command} >/dev/null 2>&1; n=$((n+1)); done
echo "== ${name}"; echo $before $(cut -d ' ' -f 1 /proc/uptime)
`
const script = `
echo "== first"; cat /run/zosstorage/state.json
${repeat('start', '/usr/bin/zosstorage --version')}
${repeat('rerun', '/usr/bin/zosstorage --report /run/again.json')}
echo "== again"; cat /run/again.json
`

try {
  const path = join(folder, 'disk.qcow2')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '40G'])
  const initramfs = await initramfsOf('bench', 'version: 1\nlogging: { level: info }\n', { script })
  const console_ = await boot('bench', bios(initramfs), [{ bus: 'virtio', path, format: 'qcow2' }])
  const first = reportOf(console_, 'first')
  if (first.status !== 'provisioned' || reportOf(console_, 'again').status !== 'already_provisioned')
    throw new Error(JSON.stringify(first))
  const { looking, whole } = first.milliseconds
  const mkfs = first.steps.filter(({ step }) => step.startsWith('file system: '))
  const took = mkfs.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
  const each = (name) => {
    // Services may print in between.
    const [, before, after] = /^(\d+\.\d+) (\d+\.\d+)$/m.exec(section(console_, name)).map(Number)
    return ((after - before) * 1000) / runs
  }
  const [start, rerun] = [each('start'), each('rerun')]
  const line = (what, value) => console.log(`${what.padEnd(44)} ${value}`)
  line('first run, 40 GiB', `${whole} ms`)
  line('  looking', `${looking} ms`)
  for (const { step, milliseconds } of first.steps) line(`  ${step.slice(0, 40)}`, `${milliseconds} ms`)
  const steps = first.steps.reduce((sum, { milliseconds }) => sum + milliseconds, looking)
  line('  between the steps', `${whole - steps} ms`)
  line('  file systems, of the whole', `${((100 * took) / whole).toFixed(0)} %`)
  line('process start (--version)', `${start.toFixed(1)} ms`)
  line('rerun, with process start', `${rerun.toFixed(1)} ms`)
  line('rerun, beyond process start', `${(rerun - start).toFixed(1)} ms (limit ${limit} ms)`)
  process.exitCode = rerun - start > limit ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}
