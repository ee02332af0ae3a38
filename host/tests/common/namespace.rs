//! A network namespace to make interfaces in, by route messages.
#![allow(dead_code, clippy::disallowed_types, clippy::unwrap_used)]

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

/// The network namespace of this thread alone, empty but for `lo`, and a socket to change it by.
pub(crate) struct Namespace(Socket);

impl Namespace {
    pub(crate) fn new() -> Self {
        // SAFETY: takes no memory; it changes this thread's network namespace, which no other thread shares.
        let status = unsafe { libc::unshare(libc::CLONE_NEWNET) };
        let error = std::io::Error::last_os_error();
        assert_eq!(
            status, 0,
            "no network namespace of its own, so nothing can be tested: {error}; \
             run as root, or under `unshare --user --map-root-user`"
        );
        Namespace(Socket::new(NETLINK_ROUTE).unwrap())
    }

    pub(crate) fn request(&self, message: RouteNetlinkMessage, flags: u16) {
        let mut message = NetlinkMessage::from(message);
        message.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.0.send_to(&bytes, &SocketAddr::new(0, 0), 0).unwrap();
        let (answer, _) = self.0.recv_from_full().unwrap();
        let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).unwrap();
        let NetlinkPayload::Error(error) = answer.payload else {
            panic!("no acknowledgement: {answer:?}")
        };
        assert_eq!(error.code, None, "the kernel refused: {}", error.to_io());
    }

    pub(crate) fn add(&self, name: &str, kind: InfoKind, data: Option<InfoData>) {
        let mut info = vec![LinkInfo::Kind(kind)];
        info.extend(data.map(LinkInfo::Data));
        let link = named(name, [LinkAttribute::LinkInfo(info)]);
        self.request(
            RouteNetlinkMessage::NewLink(link),
            NLM_F_CREATE | NLM_F_EXCL,
        );
    }

    pub(crate) fn add_veth(&self, name: &str, peer: &str) {
        let peer = InfoData::Veth(InfoVeth::Peer(named(peer, [])));
        self.add(name, InfoKind::Veth, Some(peer));
    }

    pub(crate) fn set(
        &self,
        index: u32,
        attributes: impl IntoIterator<Item = LinkAttribute>,
        up: Option<bool>,
    ) {
        let mut link = LinkMessage::default();
        link.header.index = index;
        link.attributes = attributes.into_iter().collect();
        if let Some(up) = up {
            link.header.change_mask = LinkFlags::Up;
            link.header.flags = if up {
                LinkFlags::Up
            } else {
                LinkFlags::empty()
            };
        }
        self.request(RouteNetlinkMessage::SetLink(link), 0);
    }

    pub(crate) fn up(&self, index: u32, up: bool) {
        self.set(index, [], Some(up));
    }

    pub(crate) fn rename(&self, index: u32, name: &str) {
        self.set(index, [LinkAttribute::IfName(name.into())], None);
    }

    pub(crate) fn delete(&self, name: &str) {
        self.request(RouteNetlinkMessage::DelLink(named(name, [])), 0);
    }
}

fn named(name: &str, more: impl IntoIterator<Item = LinkAttribute>) -> LinkMessage {
    let mut link = LinkMessage::default();
    link.attributes.push(LinkAttribute::IfName(name.into()));
    link.attributes.extend(more);
    link
}
