//! Runs code of the host's where its panic must not get out: the one place that catches panics.

use std::any::Any;
use std::error::Error;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Any error of the host's own code: hooks, tasks, methods. `?` makes it of any error, `into` of a text.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The host's code panicked, and the panic was contained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("panicked: {message}")]
pub struct Panicked {
    /// What it panicked with, if that was a text.
    pub message: String,
}

/// Runs `code`, and returns a panic of it as [`Panicked`].
pub(crate) fn contain<T>(code: impl FnOnce() -> Result<T, BoxError>) -> Result<T, BoxError> {
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|payload| {
        let message = into_message(payload);
        Err(Box::new(Panicked { message }))
    })
}

fn into_message(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast::<String>().map(|text| *text);
    let text = text.or_else(|other| other.downcast::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|other| {
        // It is the host's own, so its drop may panic, and so may the drop of what that panics with.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(other))).map_err(mem::forget);
        "no message".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: impl FnOnce() -> Result<(), BoxError>) -> String {
        contain(code).unwrap_err().to_string()
    }

    #[test]
    fn errors_and_panics_come_out_as_errors() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        assert_eq!(contain(|| Ok(7)).unwrap(), 7);
        assert_eq!(told(|| Err("plain".into())), "plain");
        assert_eq!(told(|| panic!("one")), "panicked: one");
        assert_eq!(told(|| panic!("{}", 2)), "panicked: 2");
        let payload = || std::panic::panic_any(Bomb);
        assert_eq!(told(payload), "panicked: no message");
    }
}
