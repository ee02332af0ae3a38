//! ringbus beside itself as it was: `cargo xtask compare --against COMMIT`.
//!
//! Two programs are built, the present comparison with the core of that commit and with the core of now, and they run
//! alternating, round by round. Both are built in one folder under one path, because paths go into the names that the
//! compiler gives and so into the layout of the code: the same source gives the same program to the byte.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Result, cargo, git};

/// Where both programs are built. The build stays there for the next time.
const FOLDER: &str = "target/against";

/// What of now is laid over the commit, so that the core is all that differs: the comparison, and the versions of the
/// packages that it uses.
const HARNESS: &[&str] = &["benches/", "Cargo.lock"];

/// Measures the working tree against `commit`, and prints what came of it.
pub fn run(commit: &str, quick: bool, only: &[String]) -> Result {
    let hash = git::resolve(commit)?;
    let short: String = hash.chars().take(10).collect();
    let folder = std::env::current_dir()
        .map_err(|error| format!("the current directory: {error}"))?
        .join(FOLDER);
    let (before, with) = build_before(&folder, commit, &hash)?;
    let now = build_now(&folder)?;
    let mut program = Command::new(&now);
    program.arg("against").arg("--before").arg(&before);
    program.args(["--commit", &format!("{short} with {with}")]);
    if quick {
        program.arg("--quick");
    }
    for text in only {
        program.args(["--only", text]);
    }
    let status = program
        .stdin(Stdio::null())
        .status()
        .map_err(|error| failed(&now, error))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!(
            "the comparison with {commit} did not come to its end ({status}): see above"
        ))
    }
}

/// Builds the present comparison with the core of the commit; or that commit's own, if they do not fit together. Returns
/// the program, and which comparison it is.
fn build_before(folder: &Path, commit: &str, hash: &str) -> Result<(PathBuf, &'static str)> {
    eprintln!("{commit}: building its core with the present comparison ...");
    let tree = Tree::empty(folder)?;
    git::export(hash, &tree.root)?;
    tree.remove("benches")?;
    tree.copy_working_files(|path| HARNESS.iter().any(|part| path.starts_with(part)))?;
    let misfit = match tree.build("before") {
        Ok(program) => return Ok((program, "the present comparison")),
        Err(error) => error,
    };
    eprintln!("{commit}: {misfit}; building its own comparison ...");
    let tree = Tree::empty(folder)?;
    git::export(hash, &tree.root)?;
    let own = tree
        .build("before")
        .and_then(|program| match lists_cells(&program)? {
            true => Ok((program, "its own comparison")),
            false => Err("it cannot run single cells".into()),
        });
    own.map_err(|error| {
        format!(
            "{commit} cannot be measured. The present comparison with its core: {misfit}. Its own comparison: {error}. \
             A later commit would do, or the present comparison kept to what that core offers"
        )
    })
}

fn build_now(folder: &Path) -> Result<PathBuf> {
    eprintln!("now: building ...");
    let tree = Tree::empty(folder)?;
    tree.copy_working_files(|_| true)?;
    tree.build("now")
        .map_err(|error| format!("the working tree cannot be measured: {error}"))
}

fn lists_cells(program: &Path) -> Result<bool> {
    let output = Command::new(program)
        .arg("cells")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(program, error))?;
    Ok(output.status.success())
}

/// A copy of the project to build in, which is removed at the end.
struct Tree {
    root: PathBuf,
    folder: PathBuf,
}

impl Tree {
    /// Takes the place of one that an earlier run left because it was killed.
    fn empty(folder: &Path) -> Result<Tree> {
        let tree = Tree {
            root: folder.join("tree"),
            folder: folder.to_owned(),
        };
        tree.remove("")?;
        fs::create_dir_all(&tree.root).map_err(|error| failed(&tree.root, error))?;
        Ok(tree)
    }

    fn remove(&self, path: &str) -> Result {
        let path = self.root.join(path);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(&path, error)),
            _ => Ok(()),
        }
    }

    /// Written anew rather than only where they differ, because cargo goes by times.
    fn copy_working_files(&self, wanted: impl Fn(&str) -> bool) -> Result {
        for path in git::working_files()?.iter().filter(|path| wanted(path)) {
            let to = self.root.join(path);
            let made = to.parent().map_or(Ok(()), fs::create_dir_all);
            let written = made.and_then(|()| fs::write(&to, fs::read(path)?));
            written.map_err(|error| failed(&to, error))?;
        }
        Ok(())
    }

    /// Builds the comparison, and keeps the program as `name`.
    fn build(&self, name: &str) -> Result<PathBuf> {
        let line = "build --release --package ringbus-benches --bin compare --message-format=json";
        let output = cargo::command_for_default(line)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", self.folder.join("build"))
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("cargo cannot be started: {error}"))?;
        if !output.status.success() {
            return Err(match cargo::first_error(&output.stdout) {
                Some(error) => format!("it does not build ({error})"),
                None => "it does not build, cargo says why above".into(),
            });
        }
        let built = cargo::programs(&output.stdout, cargo::Kind::Plain)
            .into_iter()
            .find(|(target, _)| target == "compare");
        let (_, built) = built.ok_or("it has no program `compare`")?;
        let kept = self.folder.join(name);
        fs::copy(&built, &kept).map_err(|error| failed(&kept, error))?;
        Ok(kept)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // If it cannot be removed now, the next run says why.
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn failed(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}
