//! Where services are known, and known to be alive.

mod error;
mod file;
mod memory;
mod record;
mod store;

pub use error::RegistryError;
pub use file::FileRegistry;
pub use memory::MemoryRegistry;
pub use record::{ServiceId, ServiceRecord, UnixClock};
pub use store::ServiceRegistry;
