use super::{Exception, Order, Sources};

fn order(files: &[&str], methods: &[&str]) -> Order {
    let strings = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
    Order {
        folder: "src".into(),
        files: strings(files),
        methods: strings(methods),
        exception: Vec::new(),
    }
}

fn sources(files: &[(&str, &str)]) -> Sources {
    let own = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    files.iter().map(own).collect()
}

/// The faults of files that stand in the order in which they are given.
fn faults(files: &[(&str, &str)], methods: &[&str]) -> Vec<String> {
    let names: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    order(&names, methods).faults(&sources(files)).unwrap()
}

fn above(place: &str, target: &str, name: &str) -> String {
    format!("src/{place} uses {target} (`{name}`), which stands above it")
}

#[test]
fn a_file_uses_files_below_it() {
    let files = [
        ("lib.rs", "mod a; mod b;\npub use a::A;"),
        ("a.rs", "use crate::b::B;\npub struct A(B);"),
        (
            "b.rs",
            "//! Of [`A`](crate::A).\nuse std::fmt;\npub struct B;",
        ),
    ];
    assert_eq!(faults(&files, &[]), [""; 0]);
}

#[test]
fn a_circle_fails_at_the_file_that_stands_below() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B;\npub struct A(B);"),
        ("b.rs", "pub struct B;\nuse super::a::A;\npub struct C(A);"),
    ];
    assert_eq!(faults(&files, &[]), [above("b.rs:2", "a.rs", "A")]);
}

#[test]
fn paths_in_code_in_macros_and_in_functions_are_uses() {
    let b = "fn f(x: u8) -> u8 {\n    debug_assert!(x < crate::a::MOST);\n    use crate::a as other;\n    x.min(other::LEAST)\n}\nfn g() -> crate::a::A { let _ = 0..super::a::End::OF; }";
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub struct A;"),
        ("b.rs", b),
    ];
    let found = faults(&files, &[]);
    let names = [(2, "MOST"), (3, "a"), (4, "other"), (6, "A"), (6, "OF")];
    let wanted = names.map(|(line, name)| above(&format!("b.rs:{line}"), "a.rs", name));
    assert_eq!(found, wanted);
}

#[test]
fn tests_are_exempt() {
    let b = "#[derive(Debug)]\npub struct B<'a>(&'a u8);\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n#[doc(hidden)]\n#[cfg(all(test, x))]\nimpl B { fn f(_: crate::a::A) {} }";
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub struct A;"),
        ("b.rs", b),
    ];
    assert_eq!(faults(&files, &[]), [""; 0]);
}

#[test]
fn a_path_through_re_exports_counts_for_the_file_that_it_leads_to() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;\npub use a::C as D;"),
        (
            "a.rs",
            "pub use super::c::*;\npub(crate) use crate::b::{self};\npub struct A;",
        ),
        (
            "b.rs",
            "pub use crate::{D, a::C as E, a::b::B as F, a::A as G};\npub struct B(D, E);\nstruct H(G);",
        ),
        ("c.rs", "pub struct C;"),
    ];
    assert_eq!(faults(&files, &[]), [above("b.rs:1", "a.rs", "A")]);
}

#[test]
fn a_re_export_alone_is_no_use() {
    let child = "use super::Limit;\npub struct A(Limit);";
    let parent = "mod x; mod y;\npub use x::A;\npub use y::Y;\npub struct Limit;";
    let files = |parent| {
        [
            ("lib.rs", "mod parent;"),
            ("parent/x.rs", child),
            ("parent.rs", parent),
            ("parent/y.rs", "pub struct Y;"),
        ]
    };
    assert_eq!(faults(&files(parent), &[]), [""; 0]);
    let says_it = format!("{parent}\nfn f(_: A, _: Y) {{}}");
    let found = faults(&files(&says_it), &[]);
    assert_eq!(found, [above("parent.rs:2", "parent/x.rs", "A")]);
}

#[test]
fn inner_modules_and_modules_by_cfg_are_followed() {
    let sync = "#[cfg(x)] mod one;\n#[cfg(not(x))] mod std;\n#[cfg(x)] pub use self::one::*;\n#[cfg(not(x))] pub use self::std::*;";
    let files = [
        ("lib.rs", "mod low; mod sync;"),
        ("sync/one.rs", "pub struct Arc;"),
        ("sync.rs", sync),
        (
            "low.rs",
            "mod inner {\n    use super::super::sync::{Arc, Weak};\n    fn f(_: super::Low) {}\n}\nstruct Low;",
        ),
        ("sync/std.rs", "pub struct Arc;"),
    ];
    let found = faults(&files, &[]);
    let wanted = [("sync.rs", "Weak"), ("sync/one.rs", "Arc")];
    assert_eq!(
        found,
        wanted.map(|(file, name)| above("low.rs:2", file, name))
    );
}

const RING: &str = "mod gate; mod slots;\npub struct Ring;\nimpl Ring { fn tail(&self) {} }";
const SLOTS: &str = "use super::Ring;\nimpl Ring {\n    fn read(&self) { self.tail(); self.claim(); self.next(); }\n    fn size() -> u8 { Self::limit() + Ring::most() + other.len() }\n}";
const GATE: &str = "use super::Ring;\nimpl Ring {\n    fn claim(&self) { self.read() }\n    fn limit() -> u8 {}\n    fn most() -> u8 {}\n    fn len(&self) {}\n}\nimpl Iterator for Ring { fn next(&mut self) { slots.next() } }";

fn ring(slots: &str) -> [(&str, &str); 4] {
    [
        ("lib.rs", "mod ring;"),
        ("ring/gate.rs", GATE),
        ("ring/slots.rs", slots),
        ("ring.rs", RING),
    ]
}

#[test]
fn a_call_of_a_method_that_stands_above_is_a_use() {
    let names = [(3, "claim"), (4, "len"), (4, "limit"), (4, "most")];
    let wanted =
        names.map(|(line, name)| above(&format!("ring/slots.rs:{line}"), "ring/gate.rs", name));
    assert_eq!(faults(&ring(SLOTS), &["ring"]), wanted);
    assert_eq!(faults(&ring(SLOTS), &[]), [""; 0]);
    // `len` stands in both, and may be the lower one.
    let slots = "impl Slots { fn len(&self) -> u8 { slots.len() } }";
    assert_eq!(faults(&ring(slots), &["ring"]), [""; 0]);
}

#[test]
fn an_exception_spares_a_call_of_another_method_of_the_same_name() {
    let slots = "fn f(list: &[u8]) -> usize { list.len() }";
    let files = ring(slots);
    let mut order = order(&files.map(|(path, _)| path), &["ring"]);
    let except = |file: &str, method: &str| Exception {
        file: file.into(),
        method: method.into(),
        _reason: "a slice has one".into(),
    };
    order.exception = vec![except("ring/slots.rs", "len")];
    assert_eq!(order.faults(&sources(&files)).unwrap(), [""; 0]);
    order.exception.push(except("ring/slots.rs", "claim"));
    let unused = "src/ring/slots.rs needs no exception for `claim`";
    assert_eq!(order.faults(&sources(&files)).unwrap(), [unused]);
}

#[test]
fn the_list_has_each_file_once() {
    let files = sources(&[("lib.rs", "mod a;"), ("a.rs", "")]);
    let found = order(&["lib.rs", "b.rs", "lib.rs"], &["c"]).faults(&files);
    let wanted = [
        "src/b.rs is listed, and is not there",
        "src/lib.rs is listed twice",
        "src/c.rs is not there for `methods`",
        "src/a.rs is not listed",
    ];
    assert_eq!(found.unwrap(), wanted);
}

#[test]
fn what_cannot_be_read_is_an_error_that_says_where() {
    let error = |files: &[(&str, &str)]| {
        let faults = order(&[], &[]).faults(&sources(files));
        faults.unwrap_err().to_string()
    };
    assert!(error(&[("lib.rs", "fn f() {\n    let\n}")]).starts_with("lib.rs:3: "));
    assert_eq!(error(&[("lib.rs", "mod a;")]), "there is no file a.rs");
    assert_eq!(error(&[("a.rs", "")]), "src has no root");
}
