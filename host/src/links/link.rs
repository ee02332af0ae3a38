//! A network interface, as the kernel describes it.

/// One link as the kernel last described it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub index: u32,
    pub name: String,
    pub up: bool,
    /// The other end of a veth pair, if it is in the same namespace.
    pub other_end: Option<u32>,
}
