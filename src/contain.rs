//! Running user code where a panic must not get out.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `code`; if it panics, with what message, if that was a string.
pub(crate) fn contain<R>(code: impl FnOnce() -> R) -> Result<R, Option<String>> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| {
        let message = message(&*panic);
        // The payload is the user's too, and may panic when it is dropped.
        if let Err(again) = catch_unwind(AssertUnwindSafe(move || drop(panic))) {
            std::mem::forget(again);
        }
        message
    })
}

fn message(panic: &(dyn Any + Send)) -> Option<String> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_its_message() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        assert_eq!(contain(|| 7), Ok(7));
        assert_eq!(contain(|| panic!("one")), Err::<(), _>(Some("one".into())));
        assert_eq!(contain(|| panic!("{}", 2)), Err::<(), _>(Some("2".into())));
        let payload = || std::panic::panic_any(Bomb);
        assert_eq!(contain(payload), Err::<(), _>(None));
    }
}
