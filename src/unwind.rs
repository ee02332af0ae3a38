//! Running user code where a panic must not get out.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs `code`; if it panics, with what message, if that was a string.
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Option<String>> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| {
        let message = message(&*panic);
        // The payload is the user's too, and may panic when it is dropped.
        if let Err(again) = catch_unwind(AssertUnwindSafe(move || drop(panic))) {
            std::mem::forget(again);
        }
        message
    })
}

/// Drops many values of the user's: a panic of one keeps none of the others, and the first comes out at the end. While
/// the thread unwinds already, none does.
pub(crate) fn drop_all<T>(mut values: impl Iterator<Item = T>) {
    let mut first = None;
    let mut drop_some = || {
        for value in values.by_ref() {
            drop(value);
        }
    };
    // Again after a panic, with what is left.
    while let Err(panic) = catch_unwind(AssertUnwindSafe(&mut drop_some)) {
        if first.is_none() && !std::thread::panicking() {
            first = Some(panic);
        } else {
            let _ = catch(|| drop(panic));
        }
    }
    if let Some(panic) = first {
        resume_unwind(panic);
    }
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
        assert_eq!(catch(|| 7), Ok(7));
        assert_eq!(catch(|| panic!("one")), Err::<(), _>(Some("one".into())));
        assert_eq!(catch(|| panic!("{}", 2)), Err::<(), _>(Some("2".into())));
        let payload = || std::panic::panic_any(Bomb);
        assert_eq!(catch(payload), Err::<(), _>(None));
    }
}
