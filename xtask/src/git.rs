//! Git, as a child process.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;

/// Returns the hash of the commit that `name` stands for: a hash, a branch, a tag, `HEAD~3`.
pub fn resolve(name: &str) -> Result<String> {
    // Fails if there is no git, or no repository, which is not the name's fault.
    read(&mut command(&["rev-parse", "--git-dir"]))?;
    let wanted = format!("{name}^{{commit}}");
    let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
    let hash = read(command(&arguments).arg(&wanted)).map_err(|_| {
        format!(
            "git knows no commit `{name}` in this repository; a hash, a branch or a tag would do (`git log --oneline` \
             lists them), and in a shallow clone `git fetch --unshallow` brings the older ones"
        )
    })?;
    Ok(hash.trim().to_owned())
}

/// Returns the hash of the commit that is in the working tree as it was committed.
pub fn clean_head() -> Result<String> {
    if read(&mut command(&[
        "status",
        "--porcelain",
        "--untracked-files=normal",
    ]))?
    .is_empty()
    {
        resolve("HEAD")
    } else {
        Err(
            "the working tree has changes that are not committed, and `git status` lists them"
                .into(),
        )
    }
}

/// Returns what is in the working tree, without what git is told to ignore and without deleted files.
pub fn working_files() -> Result<Vec<String>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let listed = read(&mut command(&arguments))?;
    let files = listed.lines().filter(|path| Path::new(path).is_file());
    Ok(files.map(str::to_owned).collect())
}

/// Writes the files of the commit `hash` into `folder`, which must be absolute.
///
/// Goes by an index of its own beside `folder`, because git's own index belongs to the developer
/// who works in the repository, and because nothing is left registered then if this program is
/// killed, as a `git worktree` would be.
pub fn export(hash: &str, folder: &Path) -> Result {
    let index = folder.with_extension("index");
    let with_index = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("GIT_INDEX_FILE", &index);
        command
    };
    let prefix = format!("--prefix={}/", folder.display());
    let exported = read(&mut with_index(&["read-tree", hash])).and_then(|_| {
        read(&mut with_index(&[
            "checkout-index",
            "--all",
            "--force",
            "--quiet",
            &prefix,
        ]))
    });
    // What is left of the index is overwritten the next time.
    let _ = std::fs::remove_file(&index);
    exported.map(drop)
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(arguments);
    command
}

/// Runs `command` to its end and returns what it wrote to its standard output.
fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(command, error))?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|error| failed(command, error));
    }
    let told = String::from_utf8_lossy(&output.stderr);
    match told.trim() {
        "" => Err(failed(command, output.status)),
        told => Err(failed(command, told)),
    }
}

fn failed(command: &Command, why: impl std::fmt::Display) -> String {
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        .collect();
    format!("git {}: {why}", arguments.join(" "))
}
