//! Logging: to standard error, and to a file where that is asked for.

use crate::config::{LogLevel, Logging};
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::uptime;

/// Writes each line to both places. A log that cannot be written stops nothing.
#[derive(Clone)]
struct Places {
    file: Option<Arc<File>>,
}

impl Write for Places {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(mut file) = self.file.as_deref() {
            let _ = file.write_all(bytes);
        }
        let _ = io::stderr().write_all(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Places {
    type Writer = Places;
    fn make_writer(&'a self) -> Places {
        self.clone()
    }
}

/// Starts logging for the rest of the process.
pub fn start(config: &Logging) -> Result<()> {
    let file = if config.to_file {
        let path = Path::new(&config.file);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).map_err(Error::write(path))?;
        let file = File::options().append(true).create(true).open(path).map_err(Error::write(path))?;
        Some(Arc::new(file))
    } else {
        None
    };
    let level = match config.level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
    };
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_target(false)
        .with_timer(uptime())
        .with_writer(Places { file });
    // A second start in one process, as in tests, keeps the first one's settings.
    let _ = if config.json { lines.json().try_init() } else { lines.try_init() };
    Ok(())
}
