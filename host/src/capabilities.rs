//! What a service says that it can do.

use crate::contain::{BoxError, contain};
use crate::registry::ServiceId;
use arc_swap::ArcSwapOption;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// One capability: an object of whatever the host likes.
pub type Capability = Map<String, Value>;

/// The latest capabilities of a service. Anyone may read them at any time, without waiting.
#[derive(Debug, Default)]
pub struct Capabilities {
    latest: ArcSwapOption<Vec<Capability>>,
}

impl Capabilities {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers the latest: one capability or many. An empty list, or none, clears them.
    pub fn update_service_capabilities(&self, latest: impl Into<CapabilityUpdate>) {
        let CapabilityUpdate(latest) = latest.into();
        self.latest
            .store((!latest.is_empty()).then(|| Arc::new(latest)));
    }

    /// The latest, if there are any. Never waits.
    pub fn latest(&self) -> Option<Arc<Vec<Capability>>> {
        self.latest.load_full()
    }
}

/// One capability, many, or none. In JSON: an object, a list of objects, or null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct CapabilityUpdate(Vec<Capability>);

impl From<Capability> for CapabilityUpdate {
    fn from(one: Capability) -> Self {
        Self(vec![one])
    }
}

impl From<Vec<Capability>> for CapabilityUpdate {
    fn from(many: Vec<Capability>) -> Self {
        Self(many)
    }
}

impl<U: Into<CapabilityUpdate>> From<Option<U>> for CapabilityUpdate {
    fn from(update: Option<U>) -> Self {
        update.map(Into::into).unwrap_or_default()
    }
}

impl TryFrom<Value> for CapabilityUpdate {
    type Error = CapabilityError;

    fn try_from(value: Value) -> Result<Self, CapabilityError> {
        match value {
            Value::Null => Ok(Self::default()),
            Value::Object(one) => Ok(one.into()),
            Value::Array(many) => many
                .into_iter()
                .map(|one| match one {
                    Value::Object(one) => Ok(one),
                    other => Err(CapabilityError { found: other }),
                })
                .collect::<Result<Vec<_>, _>>()
                .map(Into::into),
            other => Err(CapabilityError { found: other }),
        }
    }
}

/// A capability is an object, and this is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("a capability is an object, not {found}")]
pub struct CapabilityError {
    /// What was found.
    pub found: Value,
}

/// What is reported: the `opts` of a `capabilities` event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CapabilitiesReport {
    /// Whose they are.
    pub service: String,
    /// The host that it runs on.
    pub host: String,
    /// The latest; never empty.
    pub capabilities: Vec<Capability>,
}

/// Takes reports.
pub(crate) type Sink = dyn Fn(CapabilitiesReport) + Send + Sync;

/// Reports the capabilities of one service.
pub(crate) struct CapabilitiesPublisher {
    pub(crate) id: ServiceId,
    pub(crate) capabilities: Arc<Capabilities>,
    pub(crate) sink: Box<Sink>,
}

impl CapabilitiesPublisher {
    /// Reports the latest, if there are any; whether there were.
    ///
    /// # Errors
    /// [`Panicked`](crate::Panicked), if the sink did.
    pub(crate) fn publish(&self) -> Result<bool, BoxError> {
        let Some(latest) = self.capabilities.latest() else {
            return Ok(false);
        };
        let report = CapabilitiesReport {
            service: self.id.service.clone(),
            host: self.id.host.clone(),
            capabilities: Vec::clone(&latest),
        };
        contain(|| {
            (self.sink)(report);
            Ok(true)
        })
    }
}

impl fmt::Debug for CapabilitiesPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapabilitiesPublisher")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(name: &str) -> Capability {
        Map::from_iter([("name".to_owned(), json!(name))])
    }

    #[test]
    fn the_latest_update_stands() {
        let capabilities = Capabilities::new();
        assert_eq!(capabilities.latest(), None);
        capabilities.update_service_capabilities(one("a"));
        assert_eq!(*capabilities.latest().unwrap(), [one("a")]);
        capabilities.update_service_capabilities(vec![one("b"), one("c")]);
        assert_eq!(*capabilities.latest().unwrap(), [one("b"), one("c")]);
        capabilities.update_service_capabilities(Vec::new());
        assert_eq!(capabilities.latest(), None);
        capabilities.update_service_capabilities(Some(one("d")));
        assert_eq!(*capabilities.latest().unwrap(), [one("d")]);
        capabilities.update_service_capabilities(None::<Capability>);
        assert_eq!(capabilities.latest(), None);
    }

    #[test]
    fn an_update_in_json_is_an_object_a_list_or_null() {
        let update = |value| CapabilityUpdate::try_from(value).map(|update| update.0);
        assert_eq!(update(json!(null)), Ok(vec![]));
        assert_eq!(update(json!([])), Ok(vec![]));
        assert_eq!(update(json!({})), Ok(vec![Map::new()]));
        assert_eq!(update(json!([{"name": "a"}])), Ok(vec![one("a")]));
        let found = json!(7);
        assert_eq!(
            update(json!([{}, 7])),
            Err(CapabilityError {
                found: found.clone()
            })
        );
        assert_eq!(update(found.clone()), Err(CapabilityError { found }));
    }

    #[test]
    fn numbers_keep_their_text() {
        let text = r#"{"free":18446744073709551616.50}"#;
        let update: CapabilityUpdate = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&update.0[0]).unwrap(), text);
    }
}
