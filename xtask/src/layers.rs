//! Who may know whom, as far as the compiler does not say: the core and the hosting side are one crate.

use std::fs;
use std::path::Path;

use walkdir::WalkDir;

use crate::Result;

/// What the hosting side may take from the crate's root, besides types and traits: these are re-exports, all public.
const PUBLIC: &[&str] = &["host", "affinity", "default_worker_count"];

/// Fails, by place, where the core names the hosting side, or that names what the crate keeps to itself.
pub fn check() -> Result {
    let mut faults = Vec::new();
    let mut files = 0;
    for entry in WalkDir::new("src").sort_by_file_name() {
        let entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path();
        if path.extension().is_none_or(|it| it != "rs") || path.starts_with("src/bin") {
            continue;
        }
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let is_host = path.starts_with("src/host") || path == Path::new("src/host.rs");
        let faulty = if is_host { private_names } else { host_names };
        let names = faulty(&text).into_iter();
        faults.extend(names.map(|name| format!("{} names {name}", path.display())));
        files += 1;
    }
    println!("{files} files");
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("; "))
    }
}

/// What the core names of the hosting side.
fn host_names(text: &str) -> Vec<String> {
    let roots = from_root(text).into_iter();
    roots
        .filter(|name| name == "host")
        .map(|name| format!("crate::{name}"))
        .collect()
}

/// What the hosting side names that no other crate could.
fn private_names(text: &str) -> Vec<String> {
    let is_private =
        |name: &String| name.starts_with(char::is_lowercase) && !PUBLIC.contains(&name.as_str());
    let roots = from_root(text).into_iter();
    roots
        .filter(is_private)
        .map(|name| format!("crate::{name}"))
        .collect()
}

/// The first names behind each `crate::`, in braces or not.
fn from_root(text: &str) -> Vec<String> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let mut names = Vec::new();
    for behind in code.split("crate::").skip(1) {
        let list = match behind.strip_prefix('{') {
            Some(list) => top_level(list),
            None => vec![behind],
        };
        let name = |item: &str| -> String {
            let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
            item.trim_start().chars().take_while(is_part).collect()
        };
        names.extend(list.into_iter().map(name));
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The items of a list in braces, whose first brace is gone.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            ',' if depth == 0 => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            '}' if depth == 0 => {
                items.push(&list[start..at]);
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_may_not_name_the_hosting_side() {
        assert_eq!(
            host_names("use crate::ring::Ring;\n// crate::host\n").len(),
            0
        );
        assert_eq!(host_names("use crate::{ring, host::Event};").len(), 1);
    }

    #[test]
    fn the_hosting_side_may_name_what_is_public_only() {
        let fine = "use crate::{Bus,\n    affinity::{cores, pin_current}, host::Event};\nfn f(_: crate::Clock) {}";
        assert_eq!(private_names(fine).len(), 0);
        assert_eq!(private_names("crate::ring::Ring"), ["crate::ring"]);
        assert_eq!(
            private_names("use crate::{Bus, sync::Arc};"),
            ["crate::sync"]
        );
    }
}
