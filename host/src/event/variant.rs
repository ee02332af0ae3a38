//! What may happen: one variant for each type of event.

use super::names::{CommandState, ContainerState, DbAction, DbObject, ExitType};
use crate::exact::ExactJson;
use serde_json::{Map, Value};

/// What happened. As JSON: `{"type": "...", "opts": {...}}`.
///
/// What is read becomes a typed variant if that variant writes back the same `opts`, the order of keys aside.
/// Whatever else it may be, it becomes [`Custom`](Event::Custom) and loses nothing: a type that nobody here knows, but also
/// a known one with a state of another name, a field too many or too few, or `1.0` where an integer is due.
///
/// ```
/// use ringbus_host::{ContainerState, Event};
///
/// let text = r#"{"type":"state","opts":{"pool":"tank","id":"web","state":"running"}}"#;
/// let event: Event = serde_json::from_str(text)?;
/// assert!(matches!(&event, Event::State { state: ContainerState::Running, .. }));
/// assert_eq!(serde_json::to_string(&event)?, text);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A command of a client, at its start and at its end.
    Management {
        /// The number of the command, the same at its start and at its end.
        id: u64,
        /// Its name.
        cmd: String,
        /// What it was given, without the secrets: see [`Redaction`](crate::Redaction).
        opts: Value,
        /// How far it is.
        state: CommandState,
    },
    /// The daemon is about to end.
    OsctldShutdown,
    /// A container has another state.
    State {
        /// Its pool.
        pool: String,
        /// Its id, unique in the pool.
        id: String,
        /// The state that it has now.
        state: ContainerState,
    },
    /// An object came into the database, or left it.
    Db {
        /// What it is.
        object: DbObject,
        /// Its pool.
        pool: String,
        /// Its id.
        id: String,
        /// Whether it came or left.
        action: DbAction,
    },
    /// A container was given a CPU package.
    CtScheduled {
        /// Its pool.
        pool: String,
        /// Its id.
        id: String,
        /// The package.
        cpu_package_inuse: u64,
    },
    /// The init process of a container is known.
    CtInitPid {
        /// Its pool.
        pool: String,
        /// Its id.
        id: String,
        /// The process id, as the host sees it.
        init_pid: u32,
    },
    /// A network interface of a container changed.
    CtNetif {
        /// The container's pool.
        pool: String,
        /// The container's id.
        id: String,
        /// The interface's name inside the container: on a rename, the old one.
        name: String,
        /// What became of it.
        action: NetifAction,
    },
    /// A container ended by itself.
    CtExit {
        /// Its pool.
        pool: String,
        /// Its id.
        id: String,
        /// What it asked for.
        exit_type: ExitType,
    },
    /// What a service can do.
    Capabilities {
        /// Its name.
        service: String,
        /// The machine that it runs on.
        host: String,
        /// One object for each capability.
        capabilities: Vec<Map<String, Value>>,
    },
    /// Anything else, as it came: the order of keys and the text of numbers too, see [`ExactJson`].
    ///
    /// Made by hand with what a typed variant says as well, it is written as that variant is, matches the same filters,
    /// and is read back as the variant; [`Event::new`] has it at once.
    Custom {
        /// The event's type.
        kind: String,
        /// Its `opts`: an object, as a rule.
        opts: ExactJson,
    },
}

/// What became of a network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetifAction {
    /// It was added to the container.
    Add,
    /// It was removed from the container.
    Remove,
    /// It has another name.
    Rename {
        /// The new name, inside the container.
        new_name: String,
    },
    /// It went up.
    Up {
        /// The name of its other end, on the host.
        veth: String,
    },
    /// It went down.
    Down,
}

impl NetifAction {
    /// Its name in JSON.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            NetifAction::Add => "add",
            NetifAction::Remove => "remove",
            NetifAction::Rename { .. } => "rename",
            NetifAction::Up { .. } => "up",
            NetifAction::Down => "down",
        }
    }
}

impl Event {
    /// Its type: the `type` of its JSON.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Event::Management { .. } => "management",
            Event::OsctldShutdown => "osctld_shutdown",
            Event::State { .. } => "state",
            Event::Db { .. } => "db",
            Event::CtScheduled { .. } => "ct_scheduled",
            Event::CtInitPid { .. } => "ct_init_pid",
            Event::CtNetif { .. } => "ct_netif",
            Event::CtExit { .. } => "ct_exit",
            Event::Capabilities { .. } => "capabilities",
            Event::Custom { kind, .. } => kind,
        }
    }
}
