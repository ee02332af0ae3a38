//! The README names the tests that pin what it says: each of them is there.

use std::fs;

#[test]
fn each_test_that_the_readme_names_is_there() {
    let readme = fs::read_to_string("README.md").unwrap();
    let mut tests = 0;
    // "[`file`](tests/file.rs): `test`, `test`; [`file`](tests/file.rs): `test`"
    for part in readme.split("](tests/").skip(1) {
        let (file, rest) = part.split_once(')').unwrap();
        let text = fs::read_to_string(format!("tests/{file}")).unwrap();
        let names = rest.split(['[', '\n']).next().unwrap();
        for test in names.split('`').skip(1).step_by(2) {
            assert!(
                text.contains(&format!("fn {test}(")),
                "{file} has no {test}"
            );
            tests += 1;
        }
    }
    assert!(tests > 50, "the README names {tests} tests");
}
