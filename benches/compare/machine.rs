//! What a reader has to know of the machine, and nothing that would name it.

use std::fs;
use std::path::Path;
use std::process::Command;

use procfs::{CpuInfo, Current};
use serde::{Deserialize, Serialize};

use crate::place::Cores;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    /// That the process may use.
    pub cores: usize,
    /// Whether a hypervisor is below: then other guests may take time and cache without being seen.
    pub virtual_machine: bool,
    /// Of the publisher's core.
    pub caches: Vec<String>,
    /// Whether the publisher's and the subscriber's core are in one cache domain, as the system has it.
    pub shares_l3: Option<bool>,
    /// Whether they are two threads of one core.
    pub siblings: Option<bool>,
    pub kernel: String,
    pub rustc: String,
    /// The vector instructions that the compiler was allowed.
    pub vectors: Vec<String>,
    pub date: String,
}

impl Machine {
    pub fn look(cores: Cores) -> Machine {
        let processor = Processor::find();
        let caches = caches(cores.publisher);
        let shares = |level: &str| {
            let cache = caches.iter().find(|cache| cache.level == level)?;
            Some(is_listed(&cache.cores, cores.subscriber))
        };
        let siblings = of_core(cores.publisher, "topology/thread_siblings_list");
        Machine {
            cpu: processor.field("model name"),
            cores: ringbus::affinity::cores().len(),
            virtual_machine: processor.has("hypervisor"),
            shares_l3: shares("3"),
            siblings: (!siblings.is_empty()).then(|| is_listed(&siblings, cores.subscriber)),
            caches: caches.iter().map(Cache::text).collect(),
            kernel: read("/proc/sys/kernel/osrelease"),
            rustc: rustc(),
            vectors: vectors(),
            date: jiff::Zoned::now().date().to_string(),
        }
    }
}

/// Returns what a name like that of a whole series leaves open: `family 26, model 2`.
pub fn model() -> String {
    let processor = Processor::find();
    let (family, model) = (processor.field("cpu family"), processor.field("model"));
    format!("family {family}, model {model}")
}

/// What the kernel says of the first processor.
struct Processor(Option<CpuInfo>);

impl Processor {
    fn find() -> Processor {
        Processor(CpuInfo::current().ok())
    }

    fn field(&self, name: &str) -> String {
        let value = self.0.as_ref().and_then(|info| info.get_field(0, name));
        value.unwrap_or("unknown").to_owned()
    }

    fn has(&self, flag: &str) -> bool {
        let flags = self.0.as_ref().and_then(|info| info.flags(0));
        flags.is_some_and(|flags| flags.contains(&flag))
    }
}

struct Cache {
    level: String,
    kind: String,
    size: String,
    /// Which share it, as the system lists them: `0-1,4`.
    cores: String,
}

impl Cache {
    fn text(&self) -> String {
        let kind = match self.kind.as_str() {
            "Unified" => String::new(),
            kind => format!(" {}", kind.to_lowercase()),
        };
        format!("L{}{kind} {}", self.level, self.size)
    }
}

fn caches(core: usize) -> Vec<Cache> {
    (0..8)
        .map(|index| {
            let of = |file: &str| of_core(core, &format!("cache/index{index}/{file}"));
            Cache {
                level: of("level"),
                kind: of("type"),
                size: of("size"),
                cores: of("shared_cpu_list"),
            }
        })
        .take_while(|cache| !cache.level.is_empty())
        .collect()
}

fn of_core(core: usize, file: &str) -> String {
    read(Path::new("/sys/devices/system/cpu").join(format!("cpu{core}/{file}")))
}

/// Without its last line's end; empty where there is none.
fn read(path: impl AsRef<Path>) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.trim_end().to_owned()
}

/// Whether `core` is in a list like `0-3,8`.
fn is_listed(list: &str, core: usize) -> bool {
    list.split(',').any(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        match (first.trim().parse::<usize>(), last.trim().parse()) {
            (Ok(first), Ok(last)) => (first..=last).contains(&core),
            _ => false,
        }
    })
}

fn rustc() -> String {
    let compiler = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    Command::new(compiler)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or("unknown".into(), |version| version.trim().to_owned())
}

fn vectors() -> Vec<String> {
    let features = [
        ("sse2", cfg!(target_feature = "sse2")),
        ("avx", cfg!(target_feature = "avx")),
        ("avx2", cfg!(target_feature = "avx2")),
        ("avx512f", cfg!(target_feature = "avx512f")),
        ("neon", cfg!(target_feature = "neon")),
    ];
    features
        .into_iter()
        .filter(|(_, has)| *has)
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use procfs::FromRead;

    #[test]
    fn lists_of_cores() {
        assert!(is_listed("0-3,8", 2) && is_listed("0-3,8", 8));
        assert!(!is_listed("0-3,8", 4) && !is_listed("", 0));
    }

    #[test]
    fn fields_of_the_processor() {
        let info = "processor\t: 0\nmodel name\t: A fast CPU\nflags\t: fpu hypervisor\n";
        let processor = Processor(CpuInfo::from_read(info.as_bytes()).ok());
        assert_eq!(processor.field("model name"), "A fast CPU");
        assert_eq!(processor.field("model"), "unknown");
        assert!(processor.has("hypervisor") && !processor.has("hyper"));
        assert!(!Processor(None).has("hypervisor"));
    }
}
