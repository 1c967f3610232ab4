//! Keeping processes on chosen cores, by way of `taskset`.

use super::trouble::Trouble;
use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// Keeps this process on `cores`. Call it before threads are made: they inherit it.
pub fn pin_self(cores: &str) -> Result<(), Trouble> {
    let pid = std::process::id().to_string();
    let status = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", cores, &pid])
        .stdout(Stdio::null())
        .status()
        .map_err(|error| Trouble::new(format!("taskset: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Trouble::new(format!("taskset refused the cores {cores}")))
    }
}

/// A command that runs `program` on `cores`. `taskset` becomes the program, so the process id stays.
pub fn pinned(cores: Option<&str>, program: &OsStr) -> Command {
    match cores {
        None => Command::new(program),
        Some(cores) => {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", cores]).arg(program);
            command
        }
    }
}
