//! The program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(zosstorage::cli::main(std::env::args_os().skip(1)))
}
