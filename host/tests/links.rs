//! Real network interfaces, made and taken away by route messages, each test in a network namespace of its own.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "common/namespace.rs"]
mod namespace;

use namespace::Namespace;
use netlink_packet_route::link::{InfoKind, LinkAttribute};
use ringbus_host::{LinkAction, LinkChange, Links, LinksError};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::thread;
use std::time::Duration;

/// Nobody waits so long but for something that never comes.
const LONG: Duration = Duration::from_secs(20);

/// Everything that is told until `done`.
fn until(links: &mut Links, mut done: impl FnMut(&LinkChange) -> bool) -> Vec<LinkChange> {
    let mut changes = Vec::new();
    loop {
        let change = links.next_timeout(LONG).unwrap();
        let change = change.unwrap_or_else(|| panic!("nothing more came after {changes:?}"));
        let last = done(&change);
        changes.push(change);
        if last {
            return changes;
        }
    }
}

/// The index of the link that was just added.
fn added(links: &mut Links, name: &str) -> u32 {
    let changes = until(links, |change| {
        change.name == name && change.action == LinkAction::Add
    });
    changes.last().unwrap().index
}

fn nothing_more(links: &mut Links) {
    assert_eq!(links.next_timeout(Duration::ZERO).unwrap(), None);
}

fn told(changes: &[LinkChange]) -> Vec<(&str, &LinkAction, Option<&str>)> {
    changes
        .iter()
        .map(|change| (&*change.name, &change.action, change.veth.as_deref()))
        .collect()
}

fn renamed(new_name: &str) -> LinkAction {
    LinkAction::Rename {
        new_name: new_name.into(),
    }
}

#[test]
fn a_veth_pair_comes_lives_and_goes() {
    let namespace = Namespace::new();
    let mut links = Links::open().unwrap();
    let lo = added(&mut links, "lo");
    nothing_more(&mut links);

    namespace.add_veth("va", "vb");
    let pair = until(&mut links, |change| change.name == "va");
    assert_eq!(pair.len(), 2, "{pair:?}");
    assert!(pair.iter().all(|change| change.action == LinkAction::Add));
    let (vb, va) = (pair[0].index, pair[1].index);
    assert!(lo != va && va != vb && lo != vb);

    namespace.up(va, true);
    namespace.up(va, false);
    namespace.rename(va, "vc");
    namespace.up(vb, true);
    namespace.delete("vc");
    let changes = until(&mut links, |change| {
        change.index == va && change.action == LinkAction::Remove
    });
    let first = &told(&changes)[..4];
    assert_eq!(
        first,
        [
            ("va", &LinkAction::Up, Some("vb")),
            ("va", &LinkAction::Down, Some("vb")),
            ("va", &renamed("vc"), Some("vb")),
            ("vb", &LinkAction::Up, Some("vc")),
        ]
    );
    let mut rest: Vec<_> = changes[4..].to_vec();
    while rest.len() < 3 {
        rest.push(
            links
                .next_timeout(LONG)
                .unwrap()
                .expect("the other end goes too"),
        );
    }
    let of = |index| {
        let of_it = rest.iter().filter(move |change| change.index == index);
        of_it
            .map(|change| (&*change.name, &change.action))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(va), [("vc", &LinkAction::Remove)]);
    assert_eq!(
        of(vb),
        [("vb", &LinkAction::Down), ("vb", &LinkAction::Remove)]
    );
    nothing_more(&mut links);
    assert_eq!(links.losses(), 0);
}

#[test]
fn what_is_there_is_told_first() {
    let namespace = Namespace::new();
    let mut before = Links::open().unwrap();
    namespace.add_veth("va", "vb");
    let va = added(&mut before, "va");
    namespace.up(va, true);
    let mut links = Links::open().unwrap();
    let changes = until(&mut links, |change| change.action == LinkAction::Up);
    let of_veth = told(&changes)
        .into_iter()
        .filter(|(name, ..)| *name == "va");
    let expected = [
        ("va", &LinkAction::Add, Some("vb")),
        ("va", &LinkAction::Up, Some("vb")),
    ];
    assert_eq!(of_veth.collect::<Vec<_>>(), expected);
}

#[test]
fn a_link_that_leaves_a_bridge_is_still_there() {
    let namespace = Namespace::new();
    let mut links = Links::open().unwrap();
    namespace.add("br", InfoKind::Bridge, None);
    let bridge = added(&mut links, "br");
    namespace.add_veth("va", "vb");
    let va = added(&mut links, "va");
    nothing_more(&mut links);
    namespace.set(va, [LinkAttribute::Controller(bridge)], None);
    namespace.set(va, [LinkAttribute::Controller(0)], None);
    namespace.rename(va, "vz"); // the end of what is awaited
    let changes = until(&mut links, |_| true);
    assert_eq!(told(&changes), [("va", &renamed("vz"), Some("vb"))]);
}

#[test]
fn a_link_that_goes_to_another_namespace_is_removed_here() {
    let namespace = Namespace::new();
    let mut links = Links::open().unwrap();
    namespace.add_veth("va", "vb");
    let va = added(&mut links, "va");
    let other = thread::spawn(|| {
        let _namespace = Namespace::new();
        File::open("/proc/thread-self/ns/net").unwrap()
    });
    let other = other.join().unwrap();
    namespace.set(va, [LinkAttribute::NetNsFd(other.as_raw_fd())], None);
    let changes = until(&mut links, |_| true);
    assert_eq!(told(&changes), [("va", &LinkAction::Remove, Some("vb"))]);

    // The end that is left has no neighbour that could be named.
    namespace.set(changes[0].index - 1, [], Some(true));
    let changes = until(&mut links, |_| true);
    assert_eq!(told(&changes), [("vb", &LinkAction::Up, None)]);
}

#[test]
fn what_the_kernel_dropped_is_found_by_a_new_list() {
    const PAIRS: usize = 60;
    let namespace = Namespace::new();
    let mut links = Links::open_with_backlog(1).unwrap(); // the least that the kernel grants
    namespace.add_veth("gone", "gone_too");
    namespace.add_veth("old", "old_end");
    let old = added(&mut links, "old");

    namespace.delete("gone");
    namespace.rename(old, "new");
    for pair in 0..PAIRS {
        namespace.add_veth(&format!("a{pair}"), &format!("b{pair}"));
    }
    let mut known: BTreeMap<u32, String> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    // Only links that are there at the end are up.
    let last = format!("a{}", PAIRS - 1);
    let changes = until(&mut links, |change| change.name == last);
    assert!(
        links.losses() > 0,
        "the backlog was large enough: this test shows nothing"
    );
    for change in changes {
        let count = match &change.action {
            LinkAction::Add => "add",
            LinkAction::Remove => "remove",
            LinkAction::Rename { .. } => "rename",
            other => panic!("{other:?} of {}", change.name),
        };
        *counts.entry(count).or_insert(0) += 1;
        if change.action == LinkAction::Add {
            assert_eq!(known.insert(change.index, change.name), None, "told twice");
        }
    }
    nothing_more(&mut links);
    assert_eq!(
        counts,
        [("add", 2 * PAIRS), ("remove", 2), ("rename", 1)].into()
    );
    assert!((0..PAIRS).all(|pair| known.values().any(|name| *name == format!("b{pair}"))));
}

/// Who is there, for a reader who heard only these changes.
fn known(changes: Vec<LinkChange>) -> BTreeMap<u32, String> {
    let mut known = BTreeMap::new();
    for change in changes {
        let before = known.remove(&change.index);
        match change.action {
            LinkAction::Add => assert_eq!(before, None, "{change:?}"),
            _ => assert_eq!(before.as_ref(), Some(&change.name), "of {change:?}"),
        }
        let name = match change.action {
            LinkAction::Remove => continue,
            LinkAction::Rename { new_name } => new_name,
            _ => change.name,
        };
        known.insert(change.index, name);
    }
    known
}

#[test]
fn readers_that_come_in_the_midst_of_changes_end_with_the_truth() {
    let namespace = Namespace::new();
    // A thread is born into the namespace of its parent.
    let churn = thread::spawn(move || {
        let mut own = Links::open().unwrap();
        for round in 0..60 {
            let (name, peer) = (format!("a{round}"), format!("b{round}"));
            namespace.add_veth(&name, &peer);
            namespace.rename(added(&mut own, &name), &format!("c{round}"));
            if round % 3 > 0 {
                namespace.delete(&peer);
            }
        }
        namespace.add_veth("last", "last_end");
    });
    let mut readers = Vec::new();
    while !churn.is_finished() && readers.len() < 200 {
        let mut links = Links::open().unwrap();
        let first = links.next_timeout(LONG).unwrap().unwrap();
        readers.push((links, first));
    }
    churn.join().unwrap();
    let is_last = |change: &LinkChange| change.name == "last";
    let truth = known(until(&mut Links::open().unwrap(), is_last));
    assert_eq!(truth.len(), 1 + 2 * 20 + 2);
    assert!(!readers.is_empty());
    for (mut links, first) in readers {
        let mut changes = vec![first];
        if !is_last(&changes[0]) {
            changes.extend(until(&mut links, is_last));
        }
        assert_eq!(known(changes), truth);
    }
}

#[test]
fn a_stop_ends_whoever_waits_and_stays() {
    let _namespace = Namespace::new();
    let mut links = Links::open().unwrap();
    let (stop, again) = (links.stop_handle(), links.stop_handle());
    let reader = thread::spawn(move || {
        let changes = links.by_ref().map(Result::unwrap).count();
        (changes, links)
    });
    stop.stop();
    let (changes, mut links) = reader.join().unwrap();
    assert!(changes <= 1, "there is nothing but lo");
    again.stop();
    for timeout in [Duration::ZERO, Duration::MAX] {
        let error = links.next_timeout(timeout).unwrap_err();
        assert!(matches!(error, LinksError::Stopped), "{error}");
    }
    assert!(links.next().is_none());
}

#[test]
fn what_fails_says_what_was_tried() {
    let error = LinksError::System {
        call: "subscribing to links",
        source: std::io::Error::from_raw_os_error(libc::EPERM),
    };
    assert!(error.to_string().starts_with("subscribing to links: "));
    let reason = "x".into();
    let error = LinksError::Malformed { reason };
    assert_eq!(error.to_string(), "a malformed message about links: x");
    assert_eq!(LinksError::Stopped.to_string(), "stopped");
}
