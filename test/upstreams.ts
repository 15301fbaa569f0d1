// Repositories that a config can name in place of those on GitHub: zinit, real, from its crate, and programs that no package
// registry has, as small static Rust programs. Those say on the console what they are.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const git = (folder: string, ...args: string[]): void => {
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.org', '-c', 'init.defaultBranch=master']
  const date = '1750000000 +0000'
  const env = { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
  execFileSync('git', [...who, ...args], { cwd: folder, stdio: 'pipe', env })
}

const commit = (folder: string, tag?: string): void => {
  git(folder, 'init', '--quiet')
  git(folder, 'add', '--all', '--force')
  git(folder, 'commit', '--quiet', '--message', 'as the test has it')
  if (tag !== undefined) git(folder, 'tag', tag)
}

/** A stand-in for rfs mounts an empty tmpfs where a flist would be shown; the others stay and do nothing. */
const program = (name: string): string => `
use std::{env, fs::OpenOptions, io::Write, process::Command, thread, time::Duration};

fn say(text: &str) {
    if let Ok(mut console) = OpenOptions::new().write(true).open("/dev/console") {
        let _ = writeln!(console, "${name}: stand-in of the test: {text}");
    }
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    if args.first().map(String::as_str) == Some("mount") {
        let place = args.iter().position(|arg| arg == "-d").and_then(|at| args.get(at + 1)).expect("-d PLACE");
        say(&format!("an empty tmpfs at {place}"));
        let done = Command::new("mount").args(["-t", "tmpfs", "${name}-stand-in", place]).status().expect("mount");
        std::process::exit(done.code().unwrap_or(1));
    }
    say("started");
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}
`

const crate = (folder: string, name: string): void => {
  mkdirSync(join(folder, 'src'), { recursive: true })
  const manifest = `[package]\nname = "${name}"\nversion = "0.0.1"\nedition = "2021"\n\n[[bin]]\nname = "${name}"\npath = "src/main.rs"\n\n[features]\nbuild-binary = []\n`
  writeFileSync(join(folder, 'Cargo.toml'), manifest)
  writeFileSync(join(folder, 'Cargo.lock'), `version = 3\n\n[[package]]\nname = "${name}"\nversion = "0.0.1"\n`)
  writeFileSync(join(folder, 'src/main.rs'), program(name))
}

const zinitVersion = '0.3.9'

/** The sources of zinit's crate, from wherever the user's cargo has its crates, and the patch without which one program of it does not compile. */
const zinit = (folder: string, patch: string): void => {
  const asking = `${folder}.asking`
  mkdirSync(join(asking, 'src'), { recursive: true })
  writeFileSync(join(asking, 'src/lib.rs'), '')
  writeFileSync(
    join(asking, 'Cargo.toml'),
    `[package]\nname = "asking"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n\n[dependencies]\nzinit = { version = "=${zinitVersion}", default-features = false }\n`,
  )
  const metadata = execFileSync('cargo', ['metadata', '--format-version', '1'], {
    cwd: asking,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { packages } = JSON.parse(metadata) as { packages: { name: string; manifest_path: string }[] }
  const sources = dirname(packages.find(({ name }) => name === 'zinit')!.manifest_path)
  // What cargo adds when it packs a crate is in no repository.
  const added = ['.cargo-ok', '.cargo_vcs_info.json', 'Cargo.toml.orig']
  cpSync(sources, folder, { recursive: true, filter: (path) => !added.includes(basename(path)) })
  git(folder, 'init', '--quiet')
  git(folder, 'apply', '--whitespace=nowarn', patch)
  commit(folder, `v${zinitVersion}`)
}

/** Addresses that take the place of the config's own. */
export interface Upstreams {
  readonly zinit: string
  readonly rfs: string
  readonly mycelium: string
}

/** As the real one does, the stand-in's build script goes for an archive where the environment says it is. */
const buildScript = `
fn main() {
    let url = std::env::var("SWAGGER_UI_DOWNLOAD_URL").expect("SWAGGER_UI_DOWNLOAD_URL");
    let path = url.strip_prefix("file://").expect("a file: there is no network here");
    assert!(std::fs::metadata(path).expect(path).len() > 0);
}
`

/**
 * Makes them all below a folder, and in it what is to be served over HTTP: `corex.static`, a program, and `swagger-ui.zip`,
 * which the build script of rfs asks for. `zinitPatch`: absolute path.
 */
export const makeUpstreams = (folder: string, zinitPatch: string): Upstreams => {
  const at = (name: string): string => join(folder, name)
  zinit(at('zinit'), zinitPatch)
  crate(at('rfs'), 'rfs')
  writeFileSync(join(at('rfs'), 'build.rs'), buildScript)
  commit(at('rfs'))
  git(at('rfs'), 'branch', 'development')
  crate(join(at('mycelium'), 'myceliumd'), 'mycelium')
  commit(at('mycelium'), 'v0.6.1')
  crate(at('corex'), 'corex')
  execFileSync('rustc', ['-O', '-C', 'target-feature=+crt-static', '-o', at('corex.static'), at('corex/src/main.rs')], {
    stdio: 'pipe',
  })
  writeFileSync(at('swagger-ui.zip'), 'an archive of a web page')
  return { zinit: at('zinit'), rfs: at('rfs'), mycelium: at('mycelium') }
}
