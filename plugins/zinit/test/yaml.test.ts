import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { renderToml, renderYaml } from '../dist/render.js'
import type { Service } from '../dist/service.js'
import { readYaml } from '../dist/yaml.js'
import { errorText } from './error-text.js'

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
      errorText(() => readYaml(text, 'z/x.yaml')),
      expected,
    )
  })
}

test.run()
