//! That a test which a page says pins something is there.

use std::collections::BTreeMap;
use std::fs;

use crate::Result;

const PAGE: &str = "host/README.md";

/// Fails, by name, on each test that the page names and its file does not have.
pub fn check() -> Result {
    let page = fs::read_to_string(PAGE).map_err(|error| format!("{PAGE}: {error}"))?;
    let mut files = BTreeMap::new();
    let mut faults = Vec::new();
    let mut tests = 0;
    for (file, test) in pins(&page) {
        let path = format!("host/tests/{file}.rs");
        let text = files
            .entry(file.clone())
            .or_insert_with(|| fs::read_to_string(&path).unwrap_or_default());
        if !text.contains(&format!("#[test]\nfn {test}("))
            && !text.contains(&format!("    fn {test}("))
        {
            faults.push(format!("{path} has no test {test}"));
        }
        tests += 1;
    }
    println!("{tests} tests are named in {PAGE}");
    if faults.is_empty() && tests > 0 {
        Ok(())
    } else {
        Err(faults.join("; "))
    }
}

// Of each row's last cell: "[`file`](link): `test`, `test`; [`file`](link): `test`".
fn pins(page: &str) -> Vec<(String, String)> {
    let mut pins = Vec::new();
    for row in page.lines().filter(|line| line.starts_with('|')) {
        for part in row.split("[`").skip(1) {
            let Some((file, tests)) = part.split_once("`](tests/") else {
                continue;
            };
            let names = tests.split('`').skip(1).step_by(2);
            pins.extend(names.map(|test| (file.to_owned(), test.to_owned())));
        }
    }
    pins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_names_files_and_their_tests() {
        let row = "| it is `so` | [`a`](tests/a.rs): `one`, `two`; [`b`](tests/b.rs): `three` |";
        let pin = |file: &str, test: &str| (file.to_owned(), test.to_owned());
        assert_eq!(
            pins(row),
            [pin("a", "one"), pin("a", "two"), pin("b", "three")]
        );
    }
}
