//! One periodic task, before it runs: its name, and when it is to run.

use std::time::Duration;

/// How far apart the runs of a task are.
///
/// Made from seconds as they stand in a configuration (`30`, `0`, `-1`) or from a [`Duration`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spacing {
    /// A negative spacing: the task is not run.
    Negative,
    /// A spacing of 0: the task is run in each pass.
    EachPass,
    /// Due so long after the last run began.
    Every(Duration),
}

impl From<i64> for Spacing {
    /// Seconds.
    fn from(seconds: i64) -> Self {
        u64::try_from(seconds).map_or(Spacing::Negative, |s| Duration::from_secs(s).into())
    }
}

impl From<Duration> for Spacing {
    fn from(spacing: Duration) -> Self {
        if spacing.is_zero() {
            Spacing::EachPass
        } else {
            Spacing::Every(spacing)
        }
    }
}

/// What is known of a periodic task before it runs: its name, and when it is to run.
///
/// ```
/// use ringbus_host::PeriodicTask;
///
/// let _ = PeriodicTask::new("expire", 30).run_immediately(true);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a task runs once it is added"]
pub struct PeriodicTask {
    pub(super) name: String,
    pub(super) spacing: Spacing,
    pub(super) run_immediately: bool,
    enabled: bool,
    external: bool,
}

impl PeriodicTask {
    /// A task that is due one spacing after the start, is enabled, and is not external. A service looks for what is due only
    /// after a [random delay](crate::ServiceBuilder::fuzzy_delay).
    pub fn new(name: impl Into<String>, spacing: impl Into<Spacing>) -> Self {
        Self {
            name: name.into(),
            spacing: spacing.into(),
            run_immediately: false,
            enabled: true,
            external: false,
        }
    }

    /// Whether it is due in the first pass already. Default: no.
    pub fn run_immediately(mut self, immediately: bool) -> Self {
        self.run_immediately = immediately;
        self
    }

    /// Whether it is run at all. Default: yes.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Whether it could be run in another process too, so that a service runs it only if it is allowed to. Default: no.
    pub fn external(mut self, external: bool) -> Self {
        self.external = external;
        self
    }

    pub(super) fn skip(&self, external_allowed: bool) -> Option<Skip> {
        if self.spacing == Spacing::Negative {
            Some(Skip::NegativeSpacing)
        } else if !self.enabled {
            Some(Skip::Disabled)
        } else if self.external && !external_allowed {
            Some(Skip::External)
        } else {
            None
        }
    }
}

/// Why a task is never run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Skip {
    /// Its spacing is negative.
    #[error("its spacing is negative")]
    NegativeSpacing,
    /// It is disabled.
    #[error("it is disabled")]
    Disabled,
    /// It is external, and the service does not allow external tasks.
    #[error("external tasks are not allowed here")]
    External,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spacing_is_made_of_any_number_of_seconds() {
        assert_eq!(Spacing::from(-1), Spacing::Negative);
        assert_eq!(Spacing::from(i64::MIN), Spacing::Negative);
        assert_eq!(Spacing::from(0), Spacing::EachPass);
        assert_eq!(Spacing::from(2), Spacing::Every(Duration::from_secs(2)));
        assert_eq!(Spacing::from(Duration::ZERO), Spacing::EachPass);
    }

    #[test]
    fn why_a_task_is_skipped() {
        let task = || PeriodicTask::new("task", 1);
        assert_eq!(task().skip(false), None);
        assert_eq!(task().enabled(false).skip(true), Some(Skip::Disabled));
        assert_eq!(task().external(true).skip(false), Some(Skip::External));
        assert_eq!(task().external(true).skip(true), None);
        let negative = PeriodicTask::new("task", -1);
        assert_eq!(negative.skip(true), Some(Skip::NegativeSpacing));
    }
}
