import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { renderToml, renderYaml } from '../dist/render.js'
import type { Service } from '../dist/service.js'
import { readToml } from '../dist/toml.js'
import { errorText } from './error-text.js'

const none = new Set<string>()

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
    errorText(() => renderYaml(unit, none)),
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
      errorText(() => readToml(text, 'x.toml')),
      expected,
    )
  })
}

test('a line in a unit is found behind texts of several lines', () => {
  const text = '[service]\nname = "x"\nexec = """\nfoo = 1\nbar"""\noops = 1\n'
  assert.match(
    errorText(() => readToml(text, 'x.toml')),
    /x\.toml:6: unknown key oops/,
  )
})

test.run()
