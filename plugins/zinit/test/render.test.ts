import { isZosError } from '@zos/core'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dialectOf, renderToml, renderYaml, unitPath } from '../dist/render.js'
import type { Service, Unit } from '../dist/service.js'
import { readToml } from '../dist/toml.js'
import { readYaml } from '../dist/yaml.js'
import { normal, target, tomlService, yamlService } from './arbitrary.js'
import { errorText } from './error-text.js'

const none = new Set<string>()

const noEquivalent: [Partial<Service>, string, RegExp][] = [
  [{ critical: true }, 'yaml', /unit x: critical \(true\) cannot be said in a YAML unit/],
  [{ conflicts: ['y'] }, 'yaml', /unit x: conflicts \(\["y"\]\)/],
  [{ restart: 'never' }, 'yaml', /unit x: restart/],
  [{ test: { tcp: 'a:1' } }, 'yaml', /unit x: test/],
  [{ test: { exec: 'a', retries: 3 } }, 'yaml', /unit x: test\.retries \(3\)/],
  [{ stopTimeoutMs: 1500 }, 'yaml', /unit x: stopTimeoutMs \(1500\).*whole seconds/],
  [{ log: 'stdout' }, 'toml', /unit x: log \("stdout"\) cannot be said in a TOML unit/],
]
for (const [fields, dialect, expected] of noEquivalent) {
  test(`${JSON.stringify(fields)} has no equivalent in ${dialect}`, () => {
    const unit: Service = { kind: 'service', name: 'x', exec: 'a', ...fields }
    assert.match(
      errorText(() => (dialect === 'yaml' ? renderYaml(unit, none) : renderToml(unit))),
      expected,
    )
  })
}

test('the dialect follows from the version', () => {
  assert.equal(['0.2.5', 'v0.2.0', '0.3.9', '0.3.0-rc1', '1.0.0', '0.10.0'].map(dialectOf), [
    'yaml',
    'yaml',
    'toml',
    'toml',
    'toml',
    'toml',
  ])
  assert.throws(() => dialectOf('master'), /calls itself "master"/)
})

test('units go where the process manager looks', () => {
  const unit: Service = { kind: 'service', name: 'x', exec: 'a' }
  assert.is(unitPath(unit, 'yaml'), '/etc/zinit/x.yaml')
  assert.is(unitPath(unit, 'toml'), '/etc/zinit/services/x.toml')
  assert.is(unitPath({ ...unit, class: 'system' }, 'toml'), '/etc/zinit/system/x.toml')
})

test('property: a YAML unit reads back as it was, and renders the same', () => {
  fc.assert(
    fc.property(yamlService, (service) => {
      const text = renderYaml(service, none)
      const { unit } = readYaml(text, `${service.name}.yaml`)
      assert.equal(unit, normal(service))
      assert.is(renderYaml(unit, none), text)
    }),
    { numRuns: 300 },
  )
})

test('property: a TOML unit reads back as it was, and renders the same', () => {
  fc.assert(
    fc.property(fc.oneof(tomlService, target) as fc.Arbitrary<Unit>, (given) => {
      const text = renderToml(given)
      const { unit } = readToml(text, `${given.name}.toml`)
      assert.equal(unit, normal(given))
      assert.is(renderToml(unit), text)
    }),
    { numRuns: 300 },
  )
})

test('property: whatever is in a file, a reader gives a unit or a ZosError that names the file', () => {
  const pieces = fc.constantFrom(
    ...[
      'exec',
      ': ',
      '\n',
      '[service]',
      'name',
      ' = ',
      '"a"',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a',
      '*a',
      '"""',
      "'",
      '#',
      '  ',
    ],
    ...[
      'env:',
      'after:',
      'true',
      '1',
      '1e9',
      'null',
      '!!binary ',
      '<<',
      '\t',
      '\0',
      '\ud800',
      '---',
      '...',
      '%YAML 1.1',
    ],
  )
  const junk = fc.oneof(
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(junk, (text) => {
      for (const read of [readYaml, readToml]) {
        try {
          read(text, 'junk.yaml')
        } catch (error) {
          assert.ok(isZosError(error), `${JSON.stringify(text)}: ${error}`)
          assert.ok(error.message.startsWith('junk.yaml'), error.message)
        }
      }
    }),
    { numRuns: 1000 },
  )
})

test.run()
