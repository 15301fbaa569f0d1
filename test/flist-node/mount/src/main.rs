//! Stand-in of the tests for the rfs program: `flist-mount mount -m FLIST -c CACHE -l LOG [-d] TARGET` shows a flist
//! through FUSE. It follows the format's description with crates of its own, and shares no line with what packs.
mod block;
mod flist;
mod show;
mod store;

use std::error::Error;
use std::process::{exit, Command, Stdio};
use std::{env, fs, thread, time::Duration};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Asked {
    flist: String,
    log: Option<String>,
    in_background: bool,
    target: String,
}

fn asked(words: &[String]) -> Result<Asked> {
    let (mut flist, mut log, mut in_background, mut target) = (None, None, false, None);
    let mut rest = words.iter();
    if rest.next().map(String::as_str) != Some("mount") {
        return Err("expected mount".into());
    }
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-m" => flist = rest.next().cloned(),
            // What is fetched stays in memory.
            "-c" => drop(rest.next()),
            "-l" => log = rest.next().cloned(),
            "-d" => in_background = true,
            _ => target = Some(word.clone()),
        }
    }
    let flist = flist.ok_or("expected -m FLIST")?;
    let target = target.ok_or("expected a folder")?;
    Ok(Asked {
        flist,
        log,
        in_background,
        target,
    })
}

fn is_mounted(target: &str) -> bool {
    fs::read_to_string("/proc/mounts")
        .is_ok_and(|mounts| mounts.contains(&format!(" {target} fuse ")))
}

/// Starts this program again without `-d`, and ends once the mount is there.
fn to_background(words: &[String], target: &str) -> Result<()> {
    let words = words.iter().filter(|word| *word != "-d");
    let mut child = Command::new("/proc/self/exe")
        .args(words)
        .stdin(Stdio::null())
        .spawn()?;
    while !is_mounted(target) {
        if let Some(end) = child.try_wait()? {
            return Err(format!("the mount ended with {end}").into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn run() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let Asked {
        flist,
        log,
        in_background,
        target,
    } = asked(&words)?;
    if in_background {
        return to_background(&words, &target);
    }
    let flist = flist::read(&flist)?;
    show::mount(flist, log, &target)
}

fn main() {
    if let Err(error) = run() {
        eprintln!("flist-mount: {error}");
        exit(1);
    }
}
