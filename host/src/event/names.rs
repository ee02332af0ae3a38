//! The closed sets of names that events have.

use serde_json::Value;
use std::fmt;

macro_rules! names {
    ($(#[doc = $about:literal])* $set:ident { $($variant:ident $name:literal $says:literal),* $(,)? }) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $set {
            $(#[doc = $says] $variant,)*
        }

        impl $set {
            /// Every one of them.
            pub const ALL: &[$set] = &[$($set::$variant),*];

            /// Its name in JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $($set::$variant => $name,)*
                }
            }

            /// The one of that name. Case counts.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some($set::$variant),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $set {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl From<$set> for Value {
            fn from(one: $set) -> Value {
                Value::from(one.as_str())
            }
        }
    };
}

names! {
    /// How far a command is.
    CommandState {
        Run "run" "It has begun.",
        Done "done" "It has succeeded.",
        Failed "failed" "It has failed.",
    }
}

names! {
    /// What a container is at.
    ContainerState {
        Stopped "stopped" "It does not run.",
        Starting "starting" "It is being started.",
        Running "running" "It runs.",
        Stopping "stopping" "It is being stopped.",
        Aborting "aborting" "It is being ended by force.",
        Freezing "freezing" "It is being frozen.",
        Frozen "frozen" "It is frozen.",
        Thawed "thawed" "It was frozen, and goes on.",
    }
}

names! {
    /// What the database knows.
    DbObject {
        Pool "pool" "A pool.",
        User "user" "A user.",
        Group "group" "A group.",
        Container "container" "A container.",
        IdRange "id_range" "A range of ids.",
        Repository "repository" "A repository of images.",
    }
}

names! {
    /// What became of an object of the database.
    DbAction {
        Add "add" "It was added.",
        Remove "remove" "It was removed.",
    }
}

names! {
    /// What a container that ended by itself asked for.
    ExitType {
        Halt "halt" "To stay down.",
        Reboot "reboot" "To be started again.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_finds_its_own() {
        macro_rules! check {
            ($($set:ident of $count:literal),*) => {$(
                assert_eq!($set::ALL.len(), $count);
                for &one in $set::ALL {
                    assert_eq!($set::from_name(one.as_str()), Some(one));
                    assert_eq!(Value::from(one), Value::from(one.to_string()));
                    assert_eq!($set::from_name(&one.as_str().to_uppercase()), None);
                }
            )*};
        }
        check!(CommandState of 3, ContainerState of 8, DbObject of 6, DbAction of 2, ExitType of 2);
    }
}
