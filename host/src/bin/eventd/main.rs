//! `eventd`: the event daemon. It tells its clients what happens on this machine, and what they tell each other.
//!
//! ```console
//! $ eventd --socket /run/eventd.sock &
//! $ echo '{"cmd": "event_subscribe", "opts": {"type": "ct_netif"}}' | socat - UNIX:/run/eventd.sock
//! ```
//!
//! It logs to stderr, as `RUST_LOG` says. SIGTERM and SIGINT end it in good order.

// Locks and threads are std's own here.
#![allow(clippy::disallowed_types)]

#[cfg(target_os = "linux")]
mod daemon;
#[cfg(target_os = "linux")]
mod links;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod options;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    daemon::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("eventd: runs on Linux only");
    std::process::ExitCode::FAILURE
}
