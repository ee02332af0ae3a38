//! Between the values of methods and what is sent.

use super::context::Context;
use crate::contain::BoxError;
use serde_json::Value;

/// Has the last word on arguments and results before they are sent, and the first when they arrive.
///
/// They are serde types, and cross this trait as JSON values: what is sent may differ from what serde makes of a type,
/// such as an object of an older version, or a reference to one that is kept elsewhere. Both sides need the same.
pub trait Serializer: Send + Sync + 'static {
    /// What to send for `value`.
    ///
    /// # Errors
    /// Any; nothing is sent then.
    fn serialize(&self, context: &Context, value: Value) -> Result<Value, BoxError>;

    /// What `value`, which was sent, stands for.
    ///
    /// # Errors
    /// Any; the method is not called then.
    fn deserialize(&self, context: &Context, value: Value) -> Result<Value, BoxError>;
}

/// Sends values as serde makes them.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonSerializer;

impl Serializer for JsonSerializer {
    fn serialize(&self, _context: &Context, value: Value) -> Result<Value, BoxError> {
        Ok(value)
    }

    fn deserialize(&self, _context: &Context, value: Value) -> Result<Value, BoxError> {
        Ok(value)
    }
}
