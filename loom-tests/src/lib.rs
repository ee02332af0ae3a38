//! Loom models of `ringbus`, one file per protocol in `tests/`.
//!
//! They are a package of their own so that they link the library that ships,
//! built with `--cfg loom`: its facade then hands it loom's types. Without that
//! flag every model compiles to nothing.
//!
//! Run them with `cargo xtask loom [--deep] [MODEL...]`.
