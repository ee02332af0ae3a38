//! What a method is told of the request.

use std::fmt;
use std::time::{Duration, Instant};

/// Who asks, as which request, and until when. It reaches every method.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// Who asks.
    pub caller: Caller,
    /// Tells this request from all others in the logs.
    pub request_id: String,
    /// After this nobody waits for the result.
    pub deadline: Option<Instant>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Caller {
    /// A part of this process, by a name of its own choice.
    Local(String),
    /// Another process, as the kernel vouches for it.
    Peer {
        /// Its process.
        pid: i32,
        /// Its user.
        uid: u32,
        /// Its group.
        gid: u32,
    },
}

impl Context {
    /// A request with an id drawn at random, and no deadline.
    pub fn new(caller: Caller) -> Self {
        Self {
            caller,
            request_id: format!("req-{:032x}", fastrand::u128(..)),
            deadline: None,
        }
    }

    /// A request of this process.
    pub fn local(name: impl Into<String>) -> Self {
        Self::new(Caller::Local(name.into()))
    }

    /// With an id that the caller gave it.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = id.into();
        self
    }

    /// With a deadline. A request that is late already is not begun; one that was begun should look itself.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The time that is left; none without a deadline.
    pub fn remaining(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// The deadline has come.
    pub fn is_expired(&self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caller::Local(name) => f.write_str(name),
            Caller::Peer { pid, uid, .. } => write!(f, "process {pid} of user {uid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_deadlines_pass() {
        let context = Context::local("test");
        assert_ne!(context.request_id, Context::local("test").request_id);
        assert!(!context.is_expired());
        assert_eq!(context.remaining(), None);
        assert!(context.clone().with_deadline(Instant::now()).is_expired());
        let later = Instant::now() + Duration::from_secs(3600);
        assert!(!context.with_deadline(later).is_expired());
    }

    #[test]
    fn a_caller_is_told_by_its_name_or_its_process() {
        let (pid, uid, gid) = (7, 0, 0);
        let peer = Caller::Peer { pid, uid, gid };
        assert_eq!(peer.to_string(), "process 7 of user 0");
        assert_eq!(Caller::Local("cron".into()).to_string(), "cron");
    }
}
