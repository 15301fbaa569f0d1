import { isZosError } from '@zos/core'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dialectOf, renderToml, renderYaml, unitPath } from '../dist/render.js'
import type { Service, Unit } from '../dist/service.js'
import { readToml } from '../dist/toml.js'
import { readYaml } from '../dist/yaml.js'
import { normal, target, tomlService, yamlService } from './arbitrary.js'

const none = new Set<string>()
const message = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (isZosError(error)) return `${error.code} ${error.message} | ${error.hint.join(' ')}`
    throw error
  }
  return 'no error'
}

const classic = `# a comment
exec: "sh -c 'redis-server --port 7777'"
test: redis-cli -p 7777 PING
oneshot: false
shutdown_timeout: 30
after:
  - network
  - udevd
signal:
  stop: SIGKILL
log: ring
env:
  KEY: "1"
dir: /tmp
`
const classicService: Service = {
  kind: 'service',
  name: 'redis',
  exec: `sh -c 'redis-server --port 7777'`,
  test: { exec: 'redis-cli -p 7777 PING' },
  stopTimeoutMs: 30_000,
  after: ['network', 'udevd'],
  requires: ['network', 'udevd'],
  stopSignal: 'SIGKILL',
  env: { KEY: '1' },
  dir: '/tmp',
}

test('YAML: every key of zinit 0.2', () => {
  const { unit, notes } = readYaml(classic, 'config/zinit/redis.yaml')
  assert.equal(unit, classicService)
  assert.equal(notes, [])
})

test('YAML to TOML: what 0.2 does by default is said in words', () => {
  assert.is(
    renderToml(classicService),
    `[service]
name = "redis"
exec = "sh -c 'redis-server --port 7777'"
dir = "/tmp"

[service.env]
KEY = "1"

[dependencies]
after = ["network", "udevd"]
requires = ["network", "udevd"]

[lifecycle]
restart = "always"
max_restarts = 0
stop_timeout_ms = 30000
stop_signal = "SIGKILL"

[health]
type = "exec"
target = "redis-cli -p 7777 PING"
interval_ms = 2000
retries = 300
`,
  )
})

test('YAML: classic needs and wants are understood, rendered and reported', () => {
  const { unit, notes } = readYaml('exec: /bin/true\nneeds: [a]\nwants: [b, c]\n', 'x.yaml')
  assert.equal(unit.requires, ['a'])
  assert.equal(unit.wants, ['b', 'c'])
  assert.is(notes.length, 2)
  assert.match(notes[0]!, /^x\.yaml: needs .* after \(YAML\) or requires \(TOML\)/)
  assert.match(notes[1]!, /^x\.yaml: wants .* after \(YAML\) or wants \(TOML\)/)
  assert.is(renderYaml(unit, new Set(['a', 'c'])), 'exec: /bin/true\nafter:\n  - a\n  - c\n')
  assert.match(renderToml(unit), /after = \["b", "c"\]\nrequires = \["a"\]\nwants = \["b", "c"\]\n/)
})

const wrongYaml: [string, RegExp][] = [
  ['exec: a\nexce: b\n', /ZINIT_UNIT z\/x\.yaml:2: unknown key exce \| did you mean exec\?/],
  ['test: a\n', /x\.yaml:1: exec is missing/],
  ['exec: a\nlog: null\n', /:2: log is empty, expected none, ring or stdout \| null is spelt none/],
  ['exec: a\nlog: file\n', /:2: log is "file"/],
  ['exec: a\noneshot: yes\n', /:2: oneshot is "yes", expected true or false/],
  ['exec: a\nenv:\n  PORT: 80\n', /:3: PORT is 80, expected text \| put it into quotes: PORT: "80"/],
  ['exec: a\nafter: net\n', /:2: after is no list/],
  ['exec: a\nafter:\n', /:2: after is no list/],
  ['exec: a\nafter: [1]\n', /:2: an item of after is 1/],
  ['exec: a\nsignal:\n  stop: TERM\n', /:3: signal\.stop is TERM, expected the full name/],
  ['exec: a\nsignal:\n  start: SIGINT\n', /:3: unknown key signal\.start/],
  ['exec: a\nshutdown_timeout: 1.5\n', /:2: shutdown_timeout is 1\.5, expected whole seconds/],
  ['exec: a\nexec: b\n', /:2: Map keys must be unique/],
  ['exec: a\n---\nexec: b\n', /x\.yaml:\d: /],
  ['exec: [a]\n', /:1: exec is a list/],
  ['exec: &x a\ntest: *x\n', /:2: test is an alias/],
  [`exec: "sh -c 'a"\n`, /ZINIT_UNIT z\/x\.yaml: exec: the command line ends inside '/],
  ['exec: ""\n', /exec is empty/],
  ['exec: a\ndir: tmp\n', /dir tmp is not absolute/],
  ['- a\n', /no mapping/],
  ['', /no mapping/],
  ['exec: a\n\tb: c\n', /x\.yaml:2: /],
]
for (const [text, expected] of wrongYaml) {
  test(`YAML: ${JSON.stringify(text)} is refused`, () => {
    assert.match(
      message(() => readYaml(text, 'z/x.yaml')),
      expected,
    )
  })
}

const full = `[service]
name = "web"
exec = "/usr/bin/nginx -g 'daemon off;'"
env = { PORT = "8080" }
class = "system"
ports = [8080]

[dependencies]
requires = ["network"]
conflicts = ["old-web"]

[lifecycle]
restart_delay_ms = 3000
stop_signal = "QUIT"

[health]
type = "http"
target = "http://localhost:8080/health"
interval_ms = 5000
retries = 5

[logging]
buffer_lines = 500
`

test('TOML: a service with the defaults of 0.3 made explicit', () => {
  assert.equal(readToml(full, 'web.toml').unit, {
    kind: 'service',
    name: 'web',
    exec: `/usr/bin/nginx -g 'daemon off;'`,
    env: { PORT: '8080' },
    class: 'system',
    ports: [8080],
    requires: ['network'],
    conflicts: ['old-web'],
    restart: 'on-failure',
    restartDelayMs: 3000,
    maxRestarts: 10,
    stopSignal: 'SIGQUIT',
    test: { http: 'http://localhost:8080/health', intervalMs: 5000, retries: 5 },
    logLines: 500,
  } satisfies Service)
})

test('TOML: what a shell would do is kept', () => {
  const { unit } = readToml('[service]\nname = "x"\nexec = "mkdir -p /a && exec b $C"\n', 'x.toml')
  assert.is((unit as Service).exec, `/bin/sh -c 'mkdir -p /a && exec b $C'`)
  assert.match(renderToml(unit), /exec = "mkdir -p \/a && exec b \$C"/)
})

test('TOML: targets', () => {
  const { unit } = readToml(
    '[target]\nname = "basic"\ncritical = true\n[dependencies]\nrequires = ["b", "a"]\n',
    'b.toml',
  )
  assert.equal(unit, { kind: 'target', name: 'basic', critical: true, requires: ['a', 'b'] })
  assert.is(renderToml(unit), '[target]\nname = "basic"\ncritical = true\n\n[dependencies]\nrequires = ["a", "b"]\n')
  assert.match(
    message(() => renderYaml(unit, none)),
    /ZINIT_NO_EQUIVALENT unit basic: kind/,
  )
})

test('a oneshot is up when it ended: 0.3 is told so by a test that holds it back, and it reads back', () => {
  const unit: Service = { kind: 'service', name: 'setup', exec: '/bin/setup', oneshot: true }
  const text = renderToml(unit)
  assert.match(text, /\[health\]\ntype = "exec"\ntarget = "false"\nretries = 1\nstart_period_ms = 600000\n/)
  assert.equal(readToml(text, 'setup.toml'), { unit, notes: [] })
  const bare = readToml('[service]\nname = "setup"\nexec = "/bin/setup"\noneshot = true\n', 'setup.toml')
  assert.equal(bare.unit, unit)
  assert.match(bare.notes[0]!, /setup\.toml: zinit 0\.3 counts a oneshot/)
})

const head = '[service]\nname = "x"\nexec = "a"\n'
const wrongToml: [string, RegExp][] = [
  [`${head}excec = "b"\n`, /ZINIT_UNIT x\.toml:4: unknown key excec in \[service\] \| did you mean exec\?/],
  [`${head}[lifecycel]\nrestart = "always"\n`, /:4: unknown table \[lifecycel\] \| did you mean lifecycle\?/],
  [
    `${head}[lifecycle]\nrestart = "sometimes"\n`,
    /:5: restart is "sometimes", expected one of always, on-failure, never/,
  ],
  [`${head}[lifecycle]\nmax_restarts = -1\n`, /:5: max_restarts is -1, expected a whole number/],
  [`${head}[lifecycle]\nmax_restarts = 1.0\n`, /:5: max_restarts is 1, expected a whole number/],
  [`${head}oneshot = "true"\n`, /:4: oneshot is "true", expected true or false/],
  [`${head}env.PORT = 80\n`, /:4: env is .*expected a table of texts/],
  [`${head}[health]\ntype = "udp"\ntarget = "x"\n`, /:5: type is "udp", expected exec, tcp, http/],
  [`${head}[health]\ntype = "tcp"\n`, /:4: target is missing/],
  [`${head}[health]\ntype = "tcp"\ntarget = "x:1"\nexpect_status = 200\n`, /:7: unknown key expect_status/],
  [`${head}[lifecycle]\nstop_signal = "SIGFOO"\n`, /stopSignal SIGFOO is no signal/],
  [`${head}[lifecycle]\nrestart_delay_ms = 400000\n`, /restartDelayMaxMs 300000 is less/],
  ['[service]\nname = "x"\n', /x\.toml:1: exec is missing/],
  ['[service]\nexec = "x"\n', /:1: name is missing/],
  ['[service]\nname = "a b"\nexec = "x"\n', /the name "a b" is not/],
  ['[service\nname = "x"\n', /x\.toml:1: /],
  ['name = "x"\n', /:1: unknown table \[name\]/],
  ['', /neither \[service\] nor \[target\]/],
  ['[target]\nname = "x"\nexec = "a"\n', /:3: unknown key exec in \[target\]/],
]
for (const [text, expected] of wrongToml) {
  test(`TOML: ${JSON.stringify(text)} is refused`, () => {
    assert.match(
      message(() => readToml(text, 'x.toml')),
      expected,
    )
  })
}

test('a line in a unit is found behind texts of several lines', () => {
  const text = '[service]\nname = "x"\nexec = """\nfoo = 1\nbar"""\noops = 1\n'
  assert.match(
    message(() => readToml(text, 'x.toml')),
    /x\.toml:6: unknown key oops/,
  )
})

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
      message(() => (dialect === 'yaml' ? renderYaml(unit, none) : renderToml(unit))),
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
