// Programs that no package registry has, as small static Rust programs, and repositories that a config can name in place
// of those on GitHub. Each says on the console what it is.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

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

/** Addresses that take the place of the config's own. */
export interface Upstreams {
  readonly rfs: string
  readonly mycelium: string
  /** Path of a static program, to be served over HTTP. */
  readonly corex: string
}

/** Makes them all in an empty folder. */
export const makeUpstreams = (folder: string): Upstreams => {
  const at = (name: string): string => join(folder, name)
  crate(at('rfs'), 'rfs')
  commit(at('rfs'))
  git(at('rfs'), 'branch', 'development')
  crate(join(at('mycelium'), 'myceliumd'), 'mycelium')
  commit(at('mycelium'), 'v0.6.1')
  crate(at('corex'), 'corex')
  execFileSync('rustc', ['-O', '-C', 'target-feature=+crt-static', '-o', at('corex.static'), at('corex/src/main.rs')], {
    stdio: 'pipe',
  })
  return { rfs: at('rfs'), mycelium: at('mycelium'), corex: at('corex.static') }
}
