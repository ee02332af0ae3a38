//! What this machine has: cores, memory, load, kernel, name.

use procfs::{Current, CurrentSI, KernelStats, LoadAverage, Meminfo, ProcResult};
use ringbus::affinity;
use rustix::system::uname;
use serde_json::{Value, json};
use std::io;

/// What could not be learnt about the machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// A file of the kernel's cannot be read, or does not say what it should.
    #[error("{file}: {source}")]
    Read {
        /// Its path.
        file: &'static str,
        /// What the system said, or what is wrong in the file.
        source: io::Error,
    },
}

/// Returns the machine as it is now, as one object, for a `capabilities` event:
///
/// - `host`: its name;
/// - `kernel`: `name`, `release`;
/// - `cores`: `usable`, how many this process may use (see [`affinity::cores`]), and `online`, how many there are;
/// - `memory`: `total_bytes`, and `available_bytes` without swapping;
/// - `load`: the averages over 1, 5 and 15 minutes, of tasks that run or wait.
///
/// Reads three small files and makes a few system calls for each thread of the process.
///
/// # Errors
/// [`MachineError`], for the first thing that cannot be learnt.
pub fn machine() -> Result<Value, MachineError> {
    let memory = read(Meminfo::PATH, Meminfo::current())?;
    let available = memory.mem_available.ok_or_else(|| MachineError::Read {
        file: Meminfo::PATH,
        source: io::Error::other("no MemAvailable"),
    })?;
    let load = read(LoadAverage::PATH, LoadAverage::current())?;
    let online = read(KernelStats::PATH, KernelStats::current())?
        .cpu_time
        .len();
    Ok(json!({
        "host": host_name(),
        "kernel": {
            "name": uname().sysname().to_string_lossy(),
            "release": uname().release().to_string_lossy(),
        },
        "cores": { "usable": affinity::cores().len(), "online": online },
        "memory": { "total_bytes": memory.mem_total, "available_bytes": available },
        "load": [load.one, load.five, load.fifteen],
    }))
}

/// Returns the machine's name, as the kernel has it.
pub fn host_name() -> String {
    uname().nodename().to_string_lossy().into_owned()
}

fn read<T>(file: &'static str, result: ProcResult<T>) -> Result<T, MachineError> {
    result.map_err(|error| MachineError::Read {
        file,
        source: io::Error::other(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use procfs::FromRead;
    use std::fs;

    #[test]
    fn what_cannot_be_read_is_named() {
        let missing = Meminfo::from_file("/proc/nowhere");
        let says = read("/proc/nowhere", missing).unwrap_err().to_string();
        assert!(says.starts_with("/proc/nowhere: "), "{says}");
    }

    #[test]
    fn numbers_are_written_as_the_kernel_writes_them() {
        let load = LoadAverage::from_read("0.50 1.25 200.01 1/93 4711\n".as_bytes()).unwrap();
        assert_eq!(
            json!([load.one, load.five, load.fifteen]).to_string(),
            "[0.5,1.25,200.01]"
        );
    }

    #[test]
    fn this_machine_is_as_the_system_says() {
        let machine = machine().unwrap();
        assert_eq!(machine["host"], host_name());
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(machine["kernel"]["release"], release.trim());
        assert_eq!(machine["kernel"]["name"], "Linux");
        let number = |value: &Value| value.as_u64().unwrap();
        let (usable, online) = (
            number(&machine["cores"]["usable"]),
            number(&machine["cores"]["online"]),
        );
        assert!(1 <= usable && usable <= online, "{usable} of {online}");
        let memory = &machine["memory"];
        let (total, available) = (
            number(&memory["total_bytes"]),
            number(&memory["available_bytes"]),
        );
        assert!(
            0 < available && available <= total,
            "{available} of {total}"
        );
        assert_eq!(machine["load"].as_array().unwrap().len(), 3);
    }
}
