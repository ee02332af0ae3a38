//! An example as a program.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// The example `name` of the package whose test this is, built as the test was.
///
/// A test of the whole package may have built it, but not with `--all-targets`, nor a test of one file: so cargo, if it is
/// cargo that runs this, is asked.
pub fn built(name: &str) -> PathBuf {
    let test = env::current_exe().expect("this test has a path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("it is in <target>/<profile>/deps");
    if let Some(cargo) = env::var_os("CARGO") {
        let profile_name = match profile.file_name().and_then(|name| name.to_str()) {
            None | Some("debug") => "dev",
            Some(name) => name,
        };
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", env!("CARGO_PKG_NAME")])
            .args(["--example", name])
            .args(["--profile", profile_name, "--target-dir"])
            .arg(profile.parent().expect("it is in <target>"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.expect("cargo runs").success());
    }
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    profile.join("examples").join(file)
}
