//! ringbus beside itself as it was: `cargo xtask compare --against COMMIT`.
//!
//! Two programs are built, the present comparison with the core of that commit and with the core of
//! now, and they run alternating, round by round. Both are built in one folder under one path,
//! because paths go into the names that the compiler gives and so into the layout of the code: the
//! same source gives the same program to the byte.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use xshell::Shell;

use crate::{Result, cargo, git};

/// Where both programs are built. The build stays there for the next time.
const FOLDER: &str = "target/against";

/// What of now is laid over the commit, so that the core is all that differs: the comparison, and
/// the versions of the packages that it uses.
const HARNESS: &[&str] = &["benches/", "Cargo.lock"];

/// Measures the working tree against `commit`, and prints what came of it.
pub fn run(commit: &str, quick: bool, only: &[String]) -> Result {
    let shell = Shell::new()?;
    let hash = git::resolve(&shell, commit)?;
    let short: String = hash.chars().take(10).collect();
    let folder = shell.current_dir().join(FOLDER);
    let (before, with) = build_before(&folder, commit, &hash)?;
    let now = build_now(&folder)?;
    let quick = quick.then_some("--quick");
    let only = only.iter().flat_map(|text| ["--only", text]);
    shell
        .cmd(&now)
        .arg("against")
        .arg("--before")
        .arg(&before)
        .args(["--commit", &format!("{short} with {with}")])
        .args(quick)
        .args(only)
        .quiet()
        .run()
        .with_context(|| format!("the comparison with {commit} did not come to its end"))
}

/// Builds the present comparison with the core of the commit; or that commit's own, if they do not
/// fit together. Returns the program, and which comparison it is.
fn build_before(folder: &Path, commit: &str, hash: &str) -> Result<(PathBuf, &'static str)> {
    eprintln!("{commit}: building its core with the present comparison ...");
    let tree = Tree::empty(folder)?;
    git::export(&Shell::new()?, hash, &tree.root())?;
    tree.shell.remove_path("benches")?;
    tree.copy_working_files(|path| HARNESS.iter().any(|part| path.starts_with(part)))?;
    let misfit = match tree.build("before") {
        Ok(program) => return Ok((program, "the present comparison")),
        Err(error) => error,
    };
    eprintln!("{commit}: {misfit}; building its own comparison ...");
    let tree = Tree::empty(folder)?;
    git::export(&Shell::new()?, hash, &tree.root())?;
    let built = tree.build("before");
    let own = built.and_then(|program| match tree.lists_cells(&program) {
        true => Ok((program, "its own comparison")),
        false => Err(anyhow!("it cannot run single cells")),
    });
    own.map_err(|error| {
        anyhow!(
            "{commit} cannot be measured. The present comparison with its core: {misfit}. Its own comparison: {error}. \
             A later commit would do, or the present comparison kept to what that core offers"
        )
    })
}

fn build_now(folder: &Path) -> Result<PathBuf> {
    eprintln!("now: building ...");
    let tree = Tree::empty(folder)?;
    tree.copy_working_files(|_| true)?;
    let built = tree.build("now");
    built.context("the working tree cannot be measured")
}

/// A copy of the project to build in, which is removed at the end.
struct Tree {
    /// At the root of the copy.
    shell: Shell,
    folder: PathBuf,
}

impl Tree {
    /// Takes the place of one that an earlier run left because it was killed.
    fn empty(folder: &Path) -> Result<Tree> {
        let shell = Shell::new()?;
        shell.change_dir(folder.join("tree"));
        shell.remove_path("")?;
        shell.create_dir("")?;
        let folder = folder.to_owned();
        Ok(Tree { shell, folder })
    }

    fn root(&self) -> PathBuf {
        self.shell.current_dir()
    }

    /// Written anew rather than only where they differ, because cargo goes by times.
    fn copy_working_files(&self, wanted: impl Fn(&str) -> bool) -> Result {
        let project = Shell::new()?;
        let files = git::working_files(&project)?.into_iter();
        for path in files.filter(|path| wanted(path)) {
            let contents = project.read_binary_file(&path)?;
            self.shell.write_file(&path, contents)?;
        }
        Ok(())
    }

    /// Builds the comparison, and keeps the program as `name`.
    fn build(&self, name: &str) -> Result<PathBuf> {
        let line = "build --release --package ringbus-benches --bin compare";
        let command = cargo::command_for_default(&self.shell, line);
        let command = command.env("CARGO_TARGET_DIR", self.folder.join("build"));
        let built = cargo::build(command, "compare")?;
        let kept = self.folder.join(name);
        fs::copy(&built, &kept).with_context(|| kept.display().to_string())?;
        Ok(kept)
    }

    fn lists_cells(&self, program: &Path) -> bool {
        let command = self.shell.cmd(program).arg("cells");
        command.ignore_stderr().read().is_ok()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // If it cannot be removed now, the next run says why.
        let _ = self.shell.remove_path("");
    }
}
