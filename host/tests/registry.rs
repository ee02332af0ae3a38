//! The registries: the same rules in memory and in files, and what is special about files.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

use ringbus::{Clock, ManualClock};
use ringbus_host::{
    FileRegistry, MemoryRegistry, RegistryError, ServiceId, ServiceRecord, ServiceRegistry, Version,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A directory of a test's own, removed at its end. The registry makes it, in another one.
struct Directory {
    path: PathBuf,
    _around: TempDir,
}

impl Directory {
    fn new() -> Self {
        let around = tempfile::tempdir().unwrap();
        Self {
            path: around.path().join("records"),
            _around: around,
        }
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn id(service: &str) -> ServiceId {
    ServiceId {
        host: "here".into(),
        service: service.into(),
    }
}

/// Runs a test on each kind of registry.
fn on_each(test: impl Fn(&dyn ServiceRegistry, &ManualClock)) {
    let clock = ManualClock::new();
    test(&MemoryRegistry::with_clock(clock.clone()), &clock);
    let (directory, clock) = (Directory::new(), ManualClock::new());
    test(&files(&directory.path, &clock), &clock);
}

fn files(path: &Path, clock: &ManualClock) -> FileRegistry {
    FileRegistry::open_with_clock(path, clock.clone()).unwrap()
}

fn only(registry: &dyn ServiceRegistry) -> ServiceRecord {
    let mut records = registry.list().unwrap();
    assert_eq!(records.len(), 1);
    records.remove(0)
}

#[test]
fn a_record_from_its_creation_to_its_removal() {
    on_each(|registry, clock| {
        let web = id("web");
        assert!(registry.create(&web, Version::new(1, 4)).unwrap());
        let record = only(registry);
        assert_eq!((&record.id, record.version), (&web, Version::new(1, 4)));
        assert_eq!((record.member, record.beats), (false, 0));
        assert_eq!(record.pid, std::process::id());

        registry.join(&web).unwrap();
        clock.advance(Duration::from_millis(1500));
        registry.beat(&web).unwrap();
        let record = only(registry);
        assert_eq!(
            (record.member, record.beats, record.heard_ms),
            (true, 2, 1500)
        );

        registry.leave(&web).unwrap();
        let record = only(registry);
        assert_eq!((record.member, record.beats), (false, 2));

        assert!(!registry.create(&web, Version::new(1, 5)).unwrap());
        assert_eq!((only(registry).beats, only(registry).version.minor), (0, 5));
        assert!(registry.remove(&web).unwrap());
        assert!(!registry.remove(&web).unwrap());
        assert_eq!(registry.list().unwrap(), []);
    });
}

#[test]
fn only_create_makes_a_record() {
    on_each(|registry, _| {
        let gone = id("gone");
        registry.create(&gone, Version::default()).unwrap();
        registry.remove(&gone).unwrap();
        for change in [
            registry.join(&gone),
            registry.beat(&gone),
            registry.leave(&gone),
        ] {
            let error = change.unwrap_err();
            assert!(matches!(&error, RegistryError::NotFound(id) if *id == gone));
            assert_eq!(error.to_string(), "no record of gone@here");
        }
        assert_eq!(registry.list().unwrap(), []);
    });
}

#[test]
fn a_member_that_was_not_heard_of_is_stale() {
    on_each(|registry, clock| {
        let (web, limit) = (id("web"), Duration::from_secs(60));
        registry.create(&web, Version::default()).unwrap();
        clock.advance(limit * 2);
        assert!(!only(registry).is_stale(clock, limit), "no member");
        registry.join(&web).unwrap();
        clock.advance(limit);
        assert!(!only(registry).is_stale(clock, limit));
        clock.advance(Duration::from_millis(1));
        assert!(only(registry).is_stale(clock, limit));
        registry.beat(&web).unwrap();
        assert_eq!(only(registry).age(clock), Duration::ZERO);
        assert!(!only(registry).is_stale(clock, limit));
        clock.advance(limit * 2);
        registry.leave(&web).unwrap();
        clock.advance(limit * 2);
        assert!(!only(registry).is_stale(clock, limit), "it left");
        let earlier = ManualClock::new();
        assert_eq!(only(registry).age(&earlier), Duration::ZERO);
    });
}

#[test]
fn records_are_listed_by_host_and_name() {
    on_each(|registry, _| {
        let elsewhere = ServiceId {
            host: "elsewhere".into(),
            service: "z".into(),
        };
        let ids = [id("b"), id("a"), elsewhere.clone()];
        for id in &ids {
            registry.create(id, Version::default()).unwrap();
        }
        let listed = registry.list().unwrap();
        let listed: Vec<_> = listed.into_iter().map(|record| record.id).collect();
        assert_eq!(listed, [elsewhere, id("a"), id("b")]);
    });
}

#[test]
fn a_file_is_json_and_nothing_else_is_left() {
    let (directory, clock) = (Directory::new(), ManualClock::new());
    let registry = files(&directory.path, &clock);
    registry.create(&id("web"), Version::new(1, 2)).unwrap();
    registry.join(&id("web")).unwrap();
    assert_eq!(directory.names(), ["web@here.json"]);
    let text = fs::read_to_string(directory.path.join("web@here.json")).unwrap();
    let pid = std::process::id();
    assert_eq!(
        text,
        format!(
            r#"{{"host":"here","service":"web","version":"1.2","pid":{pid},"member":true,"beats":1,"heard_ms":0}}"#
        )
    );
    // Another registry on the same directory, as another process has it.
    assert_eq!(
        files(&directory.path, &clock).list().unwrap(),
        registry.list().unwrap()
    );
}

#[test]
fn a_name_leads_out_of_no_directory() {
    let (directory, clock) = (Directory::new(), ManualClock::new());
    let registry = files(&directory.path, &clock);
    let odd = ServiceId {
        host: "..".into(),
        service: "../../tmp/x@y\0é".into(),
    };
    registry.create(&odd, Version::default()).unwrap();
    assert_eq!(
        directory.names(),
        ["..%2f..%2ftmp%2fx%40y%00%c3%a9@...json"]
    );
    registry.beat(&odd).unwrap();
    assert_eq!(only(&registry).id, odd);
    assert!(registry.remove(&odd).unwrap());
}

#[test]
fn a_reader_finds_a_whole_record_at_any_time() {
    let (directory, clock) = (Directory::new(), ManualClock::new());
    let registry = files(&directory.path, &clock);
    let web = id("web");
    registry.create(&web, Version::default()).unwrap();
    registry.join(&web).unwrap();
    let writing = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                registry.beat(&web).unwrap();
            }
            writing.store(false, Ordering::Release);
        });
        let theirs = files(&directory.path, &clock);
        let mut last = 0;
        while writing.load(Ordering::Acquire) {
            let record = only(&theirs); // a part of one would be skipped, and missed here
            assert!(record.beats >= last);
            last = record.beats;
        }
    });
    assert_eq!(only(&registry).beats, 501);
    assert_eq!(directory.names(), ["web@here.json"]);
}

#[test]
fn heartbeats_of_many_threads_are_all_counted() {
    on_each(|registry, _| {
        let web = id("web");
        registry.create(&web, Version::default()).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|_| registry.beat(&web).unwrap()));
            }
        });
        assert_eq!(only(registry).beats, 200);
    });
}

#[test]
fn a_file_that_is_no_record_hides_no_other() {
    let (directory, clock) = (Directory::new(), ManualClock::new());
    let registry = files(&directory.path, &clock);
    registry.create(&id("web"), Version::default()).unwrap();
    fs::write(directory.path.join("bad@here.json"), "{").unwrap();
    fs::write(directory.path.join("web@here.1.tmp"), "{").unwrap();
    assert_eq!(only(&registry).id, id("web"));
    let error = registry.beat(&id("bad")).unwrap_err();
    assert!(
        matches!(&error, RegistryError::Corrupt { path, .. } if path.ends_with("bad@here.json"))
    );
    // Its service starts anew, and it is whole.
    assert!(!registry.create(&id("bad"), Version::default()).unwrap());
    assert_eq!(registry.list().unwrap().len(), 2);
}

#[test]
fn what_the_system_refuses_is_told_with_its_path() {
    let directory = Directory::new();
    fs::create_dir_all(&directory.path).unwrap();
    let file = directory.path.join("file");
    fs::write(&file, "").unwrap();
    let refused = |error: RegistryError| match error {
        RegistryError::Io { path, .. } => path,
        other => panic!("{other}"),
    };
    assert_eq!(refused(FileRegistry::open(&file).unwrap_err()), file);

    let registry = files(&directory.path, &ManualClock::new());
    let long = id(&"x".repeat(300));
    let path = refused(registry.create(&long, Version::default()).unwrap_err());
    assert!(path.starts_with(&directory.path));
    fs::remove_dir_all(&directory.path).unwrap();
    assert_eq!(refused(registry.list().unwrap_err()), directory.path);
    let create = registry.create(&id("web"), Version::default());
    assert_eq!(
        refused(create.unwrap_err()),
        directory.path.join("web@here.json")
    );
}

#[test]
fn a_store_of_the_hosts_own_has_its_own_errors() {
    let error = RegistryError::Other("the store is away".into());
    assert_eq!(error.to_string(), "the store is away");
}

#[test]
fn the_unix_clock_stands_after_the_year_2020() {
    let now = ringbus_host::UnixClock.now();
    assert!(now > Duration::from_secs(1_577_836_800));
}
