// What zosstorage says of its run, as it comes over a machine's console: held against the schema that the crate ships.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as assert from 'uvu/assert'
import { project } from './zos.js'

export interface Partition {
  readonly path: string
  readonly name: string
  readonly guid: string
}

export interface Report {
  readonly status: string
  readonly topology: string
  readonly firmware: string
  readonly disks: readonly {
    path: string
    sector: number
    serial: string
    role: string
    partitions: readonly Partition[]
  }[]
  readonly filesystems: readonly { kind: string; label: string; uuid: string; primary: boolean; devices: string[] }[]
  readonly steps: readonly { step: string; result: string }[]
  readonly error: { class: string; message: string } | null
}

const schema = JSON.parse(readFileSync(join(project, 'plugins/zosstorage/crate/schema/report.schema.json'), 'utf8'))
const validate = new Ajv2020({ strict: true, strictTypes: false, allErrors: true }).compile<Report>(schema)

/** The lines behind `== NAME`, up to the next such line. */
export const section = (console: string, name: string): string => {
  const found = new RegExp(`^== ${name}\\n([\\s\\S]*?)^== `, 'm').exec(console)?.[1]
  assert.ok(found !== undefined, `no section ${name} on the console:\n${console.slice(-3000)}`)
  return found
}

/** The report in a section. Services may print in between; the report's own lines begin with a brace or a space. */
export const reportOf = (console: string, name: string): Report => {
  const lines = section(console, name)
    .split('\n')
    .filter((line) => /^[{} ]/.test(line) && !/^ +\d+\.\d+s /.test(line))
  const report = JSON.parse(lines.join('\n'))
  assert.ok(validate(report), `${JSON.stringify(validate.errors)}\n${JSON.stringify(report)}`)
  return report
}

/** A rerun in which nothing was left to do; what `done` matches is what a restart takes away. Others may load the driver. */
export const expectAlreadyRight = ({ status, steps, error }: Report, done: RegExp | undefined = undefined): void => {
  assert.is(status, 'already_provisioned', JSON.stringify(error))
  for (const { step, result } of steps)
    if (step.startsWith('driver')) assert.match(result, /^(done|already_right)$/, step)
    else assert.is(result, done?.test(step) ? 'done' : 'already_right', step)
}

/** Disks and file systems by what stays theirs: a kernel may name NVMe disks in another order after a restart. */
export const identities = ({ disks, filesystems }: Report): unknown => ({
  disks: disks
    .map(({ serial, role, partitions }) => ({
      serial,
      role,
      partitions: partitions.map(({ path: _, ...rest }) => rest),
    }))
    .sort((one, other) => one.serial.localeCompare(other.serial)),
  filesystems: filesystems
    .map(({ devices, ...rest }) => ({ ...rest, devices: devices.length }))
    .sort((one, other) => one.uuid.localeCompare(other.uuid)),
})
