//! Events: what the daemon tells its clients, typed, and as JSON.

mod fields;
mod json;
mod names;
mod variant;

pub(crate) use fields::Field;
pub use json::EventError;
pub use names::{CommandState, ContainerState, DbAction, DbObject, ExitType};
pub use variant::{Event, NetifAction};
