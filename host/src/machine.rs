//! What this machine has: cores, memory, load, kernel, name.

use ringbus::affinity;
use rustix::system::uname;
use serde_json::{Value, json};
use std::{fs, io};

const ONLINE: &str = "/sys/devices/system/cpu/online";
const MEMORY: &str = "/proc/meminfo";
const LOAD: &str = "/proc/loadavg";

/// What could not be learnt about the machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// A file of the kernel's cannot be read.
    #[error("{file}: {source}")]
    Read {
        /// Its path.
        file: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the kernel's does not say what it should.
    #[error("{file}, line {line}: {problem}")]
    Format {
        /// Its path.
        file: &'static str,
        /// Counted from 1. If something is missing, the last line.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
}

/// The machine as it is now, as one object, for a `capabilities` event:
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
    let (total, available) = memory(&read(MEMORY)?)?;
    let [one, five, fifteen] = load(&read(LOAD)?)?;
    Ok(json!({
        "host": host_name(),
        "kernel": {
            "name": uname().sysname().to_string_lossy(),
            "release": uname().release().to_string_lossy(),
        },
        "cores": { "usable": affinity::cores().len(), "online": online_cores(&read(ONLINE)?)? },
        "memory": { "total_bytes": total, "available_bytes": available },
        "load": [one, five, fifteen],
    }))
}

/// The machine's name, as the kernel has it.
pub fn host_name() -> String {
    uname().nodename().to_string_lossy().into_owned()
}

fn read(file: &'static str) -> Result<String, MachineError> {
    fs::read_to_string(file).map_err(|source| MachineError::Read { file, source })
}

fn format(file: &'static str, line: usize, problem: impl Into<String>) -> MachineError {
    MachineError::Format {
        file,
        line: line.max(1),
        problem: problem.into(),
    }
}

/// Total and available bytes, of the text of `/proc/meminfo`.
fn memory(text: &str) -> Result<(u64, u64), MachineError> {
    Ok((
        memory_field(text, "MemTotal")?,
        memory_field(text, "MemAvailable")?,
    ))
}

fn memory_field(text: &str, name: &str) -> Result<u64, MachineError> {
    for (index, line) in text.lines().enumerate() {
        let Some(value) = line
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(':'))
        else {
            continue;
        };
        let bytes = value
            .trim()
            .strip_suffix(" kB")
            .and_then(|number| number.trim().parse::<u64>().ok())
            .and_then(|kibibytes| kibibytes.checked_mul(1024));
        return bytes.ok_or_else(|| {
            format(
                MEMORY,
                index + 1,
                format!("no amount in kB: {:?}", value.trim()),
            )
        });
    }
    Err(format(MEMORY, text.lines().count(), format!("no {name}")))
}

/// The three averages, of the text of `/proc/loadavg`.
fn load(text: &str) -> Result<[f64; 3], MachineError> {
    let mut words = text.split_whitespace();
    let mut averages = [0.0; 3];
    for average in &mut averages {
        let word = words.next().unwrap_or_default();
        *average = word
            .parse()
            .ok()
            .filter(|load: &f64| load.is_finite() && *load >= 0.0)
            .ok_or_else(|| format(LOAD, 1, format!("no load: {word:?}")))?;
    }
    Ok(averages)
}

/// How many cores a list of the kernel's has, such as `0-3,8`.
fn online_cores(text: &str) -> Result<u64, MachineError> {
    let mut count = 0_u64;
    for range in text.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let cores = first.parse().ok().zip(last.parse().ok());
        let cores = cores.and_then(|(first, last): (u32, u32)| last.checked_sub(first));
        let cores =
            cores.ok_or_else(|| format(ONLINE, 1, format!("no range of cores: {range:?}")))?;
        count += u64::from(cores) + 1; // as many as the text has ranges, of 2^32 each at most
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<T: std::fmt::Debug>(result: Result<T, MachineError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn memory_is_in_bytes() {
        let text = "MemTotal:       16 kB\nMemFree: 1 kB\nMemAvailable:   8 kB\nMemTotalX: 9 kB\n";
        assert_eq!(memory(text).unwrap(), (16 * 1024, 8 * 1024));
        for (text, says) in [
            ("", "/proc/meminfo, line 1: no MemTotal"),
            (
                "MemTotal: 1 kB\nMemFree: 2 kB\n",
                "/proc/meminfo, line 2: no MemAvailable",
            ),
            (
                "\nMemTotal: 1 MB\n",
                "/proc/meminfo, line 2: no amount in kB: \"1 MB\"",
            ),
            (
                "MemTotal: -1 kB\n",
                "/proc/meminfo, line 1: no amount in kB: \"-1 kB\"",
            ),
            (
                "MemTotal: 18446744073709551615 kB",
                "/proc/meminfo, line 1: no amount in kB: \"18446744073709551615 kB\"",
            ),
        ] {
            assert_eq!(said(memory(text)), says);
        }
    }

    #[test]
    fn load_has_three_averages() {
        assert_eq!(
            load("0.50 1.25 200.00 1/93 4711\n").unwrap(),
            [0.5, 1.25, 200.0]
        );
        for (text, word) in [
            ("", ""),
            ("0.1 0.2", ""),
            ("0.1 x 0.3", "x"),
            ("inf", "inf"),
            ("-1", "-1"),
        ] {
            assert_eq!(
                said(load(text)),
                format!("/proc/loadavg, line 1: no load: {word:?}")
            );
        }
    }

    #[test]
    fn cores_are_counted_over_ranges() {
        for (text, count) in [
            ("0\n", 1),
            ("0-3", 4),
            ("0-1,4,6-7\n", 5),
            ("0-4294967295", 1 << 32),
        ] {
            assert_eq!(online_cores(text).unwrap(), count, "{text}");
        }
        for range in ["", "3-1", "x", "1-", "-1", "4294967296"] {
            let says = format!("{ONLINE}, line 1: no range of cores: {range:?}");
            assert_eq!(said(online_cores(range)), says);
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let says = said(read("/proc/nowhere"));
        assert!(says.starts_with("/proc/nowhere: "), "{says}");
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
