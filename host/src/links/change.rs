//! What happens to a link.

/// One change of one link. The changes of a link are an [`Add`](LinkAction::Add), any number of others, and a
/// [`Remove`](LinkAction::Remove); ups and downs take turns, and a link that is up goes down before it is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkChange {
    /// The kernel's number of the link; it outlives a rename.
    pub index: u32,
    /// Its name: on a rename, the old one. Bytes that are not UTF-8 are replaced.
    pub name: String,
    /// What happened.
    pub action: LinkAction,
    /// The name of the other end, if this is an end of a veth pair and the other one is known in this namespace.
    pub veth: Option<String>,
}

/// What happens to a link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkAction {
    /// It is there: made, come from another namespace, or there when the watch began.
    Add,
    /// It is gone: deleted, or gone to another namespace.
    Remove,
    /// It has another name.
    Rename {
        /// The name from now on.
        new_name: String,
    },
    /// It was set up (by whoever administers it; there may be no carrier).
    Up,
    /// It was set down.
    Down,
}
