//! Loop devices and the built program, for tests that need root. What a test made is gone when it ends.

use rustix::fs::{SeekFrom, seek};
use sha2::{Digest, Sha256};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Runs a program; gives its output.
pub fn run(program: &str, args: &[&str]) -> Output {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    Command::new(program).args(args).env("PATH", path).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Runs a program that has to end well; gives what it printed.
pub fn succeed(program: &str, args: &[&str]) -> String {
    let output = run(program, args);
    let words = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {args:?}: {words}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether a program is on the search path.
pub fn has(program: &str) -> bool {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    path.split(':').any(|folder| Path::new(folder).join(program).exists())
}

/// Digest of all bytes of an image: of every block of 4 KiB that is not zeros, and its place. Holes are not read, so it is
/// quick; where they are is not asked, since the kernel may make one of zeros at any time.
pub fn digest(image: &str) -> String {
    const BLOCK: usize = 4096;
    succeed("sync", &[image]);
    let file = std::fs::File::open(image).unwrap();
    let size = file.metadata().unwrap().len();
    let mut hash = Sha256::new();
    let (mut block, mut at) = ([0; BLOCK], 0);
    // Behind the last data there is none to seek (ENXIO).
    while let Ok(start) = seek(&file, SeekFrom::Data(at)) {
        let end = seek(&file, SeekFrom::Hole(start)).unwrap();
        at = start / BLOCK as u64 * BLOCK as u64;
        while at < end {
            let bytes = &mut block[..BLOCK.min((size - at) as usize)];
            file.read_exact_at(bytes, at).unwrap();
            if bytes.iter().any(|byte| *byte != 0) {
                hash.update(at.to_le_bytes());
                hash.update(&*bytes);
            }
            at += bytes.len() as u64;
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Stands in for a kernel's parser of GPT: whenever a device has a table and shows no partition, `partx` adds them.
struct Parser {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Parser {
    fn start(loops: Arc<Mutex<Vec<String>>>) -> Parser {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = stop.clone();
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                for device in loops.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                    if !Path::new(&format!("{device}p1")).exists() {
                        run("partx", &["-a", device]);
                    }
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        Parser { stop, thread: Some(thread) }
    }
}

impl Drop for Parser {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The program keeps a second run out, so tests take turns.
static TURN: Mutex<()> = Mutex::new(());

/// A folder with image files and loop devices of its own.
pub struct Machine {
    /// Folder of all files.
    pub folder: PathBuf,
    loops: Arc<Mutex<Vec<String>>>,
    parser: Option<Parser>,
    _turn: MutexGuard<'static, ()>,
}

impl Machine {
    /// Nothing where loop devices cannot be made; then it says why.
    pub fn new(name: &str) -> Option<Machine> {
        let folder = std::env::temp_dir().join(format!("zosstorage-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut machine = Machine { folder, loops: Arc::default(), parser: None, _turn: turn };
        let probe = machine.image("probe", 64);
        let attached = has("losetup").then(|| run("losetup", &["-fP", "--show", &probe]));
        match attached {
            Some(output) if output.status.success() => {
                succeed("losetup", &["-d", String::from_utf8_lossy(&output.stdout).trim()]);
                if !machine.shows_partitions() {
                    machine.parser = Some(Parser::start(machine.loops.clone()));
                }
                Some(machine)
            }
            _ => {
                println!("skip {name}: loop devices cannot be made here (root and losetup are needed)");
                None
            }
        }
    }

    /// Whether this kernel shows partitions of a GPT; it may have been built without.
    fn shows_partitions(&mut self) -> bool {
        let image = self.image("partitions", 64);
        succeed("sh", &["-c", "echo ',10M' | sfdisk -q --label gpt \"$1\"", "sh", &image]);
        let device = self.attach(&image);
        let shown = Path::new(&format!("{device}p1")).exists();
        self.detach(&device);
        shown
    }

    /// Makes an empty image of some MiB; gives its path.
    pub fn image(&self, name: &str, mib: u64) -> String {
        let path = self.folder.join(name);
        std::fs::File::create(&path).unwrap().set_len(mib << 20).unwrap();
        path.display().to_string()
    }

    /// Attaches an image; gives the device.
    pub fn attach(&mut self, image: &str) -> String {
        let device = succeed("losetup", &["-fP", "--show", image]).trim().to_owned();
        self.devices().push(device.clone());
        device
    }

    /// Detaches a device.
    pub fn detach(&mut self, device: &str) {
        let mut devices = self.devices();
        devices.retain(|one| one != device);
        succeed("losetup", &["-d", device]);
    }

    fn devices(&self) -> MutexGuard<'_, Vec<String>> {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the program's configuration for some devices; gives its path.
    pub fn config(&self, topology: &str, devices: &[&str]) -> String {
        let folder = self.folder.display();
        let text = format!(
            "version: 1\ntopology: {topology}\ndisks: [{}]\ndevices: {{ min_size: 1GiB }}\nfstab: {{ enabled: true, path: {folder}/fstab }}\n\
             report: {{ path: {folder}/state.json }}\nmounts:\n  base: {folder}/mounts\n  subvolumes:\n  - {{ name: system, target: {folder}/cache/system }}\n  - {{ name: etc, target: {folder}/cache/etc }}\n",
            devices.join(", ")
        );
        let path = self.folder.join("config.yaml");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Runs the program; gives exit code and what it said.
    pub fn zosstorage(&self, args: &[&str]) -> (i32, String) {
        let output = run(env!("CARGO_BIN_EXE_zosstorage"), args);
        let words = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap_or(-1), words)
    }

    /// The report of the last run.
    pub fn report(&self) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.folder.join("state.json")).unwrap()).unwrap()
    }

    /// Unmounts everything below the folder.
    pub fn unmount(&self) {
        let folder = self.folder.display().to_string();
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let targets =
            mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|target| target.starts_with(&folder));
        for target in targets.collect::<Vec<_>>().iter().rev() {
            run("umount", &[target]);
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.unmount();
        self.parser = None;
        for device in self.devices().iter() {
            run("losetup", &["-d", device]);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
