//! The kernel's messages about links.
//!
//! Only what is needed is read of them: attributes that newer kernels add, or change, do no harm.

use super::error::LinksError;
use super::link::Link;
use libc::{
    IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINK, IFLA_LINK_NETNSID, IFLA_LINKINFO, RTM_DELLINK,
    RTM_NEWLINK,
};
use netlink_packet_core::{
    DecodeError, Emitable, NLM_F_DUMP_INTR, NLMSG_ALIGNTO, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer,
    NlasIterator,
};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::{LinkFlags, LinkHeader};
use std::io;

/// One message, and what request it answers.
#[derive(Debug)]
pub(super) struct Packet {
    pub port: u32,
    pub sequence: u32,
    /// The list that this is a part of is not of one moment.
    pub interrupted: bool,
    pub message: Message,
}

#[derive(Debug)]
pub(super) enum Message {
    Seen(Link),
    Gone(u32),
    Done,
    Failed(io::Error),
    Else,
}

/// All messages of a datagram.
pub(super) fn parse(mut datagram: &[u8]) -> Result<Vec<Packet>, LinksError> {
    let mut packets = Vec::new();
    while !datagram.is_empty() {
        let packet = NetlinkBuffer::new_checked(datagram).map_err(malformed)?;
        packets.push(Packet {
            port: packet.port_number(),
            sequence: packet.sequence_number(),
            interrupted: packet.flags() & NLM_F_DUMP_INTR != 0,
            message: message(packet.message_type(), packet.payload())?,
        });
        let length = (packet.length() as usize).next_multiple_of(NLMSG_ALIGNTO.into());
        datagram = datagram.get(length..).unwrap_or_default();
    }
    Ok(packets)
}

fn message(kind: u16, payload: &[u8]) -> Result<Message, LinksError> {
    match kind {
        RTM_NEWLINK | RTM_DELLINK => link(kind, payload),
        NLMSG_DONE | NLMSG_ERROR => Ok(
            match payload.first_chunk().copied().map(i32::from_ne_bytes) {
                Some(code) if code < 0 => {
                    Message::Failed(io::Error::from_raw_os_error(code.saturating_neg()))
                }
                _ if kind == NLMSG_DONE => Message::Done,
                _ => Message::Else,
            },
        ),
        _ => Ok(Message::Else),
    }
}

fn link(kind: u16, payload: &[u8]) -> Result<Message, LinksError> {
    let header = LinkHeader::parse(payload).map_err(malformed)?;
    if header.interface_family != AddressFamily::Unspec {
        return Ok(Message::Else); // it joined or left a bridge
    }
    let index = header.index;
    if kind == RTM_DELLINK {
        return Ok(Message::Gone(index));
    }
    let (mut name, mut other_end, mut elsewhere, mut veth) = (None, None, false, false);
    for attribute in NlasIterator::new(&payload[header.buffer_len()..]) {
        let attribute = attribute.map_err(malformed)?;
        match attribute.kind() {
            IFLA_IFNAME => name = Some(text(attribute.value())),
            IFLA_LINK => {
                other_end = attribute
                    .value()
                    .first_chunk()
                    .copied()
                    .map(u32::from_ne_bytes)
            }
            IFLA_LINK_NETNSID => elsewhere = true,
            IFLA_LINKINFO => {
                for info in NlasIterator::new(attribute.value()) {
                    let info = info.map_err(malformed)?;
                    veth |= info.kind() == IFLA_INFO_KIND && text(info.value()) == "veth";
                }
            }
            _ => {}
        }
    }
    Ok(Message::Seen(Link {
        index,
        name: name.ok_or_else(|| LinksError::Malformed {
            reason: format!("link {index} has no name"),
        })?,
        up: header.flags.contains(LinkFlags::Up),
        other_end: other_end.filter(|_| veth && !elsewhere),
    }))
}

fn text(value: &[u8]) -> String {
    let end = value.iter().position(|&byte| byte == 0);
    String::from_utf8_lossy(&value[..end.unwrap_or(value.len())]).into_owned()
}

fn malformed(error: DecodeError) -> LinksError {
    LinksError::Malformed {
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::NLA_F_NESTED;
    use proptest::prelude::*;

    /// `(type, value)`, nested ones made first.
    fn attributes(list: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, value) in list {
            bytes.extend((value.len() as u16 + 4).to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    fn packet(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = (payload.len() as u32 + 16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(7_u32.to_ne_bytes());
        bytes.extend(9_u32.to_ne_bytes());
        bytes.extend(payload);
        bytes
    }

    fn link_packet(kind: u16, family: u8, up: bool, list: &[(u16, &[u8])]) -> Vec<u8> {
        let mut payload = vec![family, 0, 1, 0];
        payload.extend(3_u32.to_ne_bytes());
        payload.extend(u32::from(up).to_ne_bytes());
        payload.extend([0; 4]);
        payload.extend(attributes(list));
        packet(kind, 0, &payload)
    }

    fn veth() -> Vec<u8> {
        let info = attributes(&[(IFLA_INFO_KIND, b"veth\0")]);
        let list: [(u16, &[u8]); 4] = [
            (999, b"new"),
            (IFLA_IFNAME, b"eth0\0"),
            (IFLA_LINK, &4_u32.to_ne_bytes()),
            (IFLA_LINKINFO | NLA_F_NESTED, &info),
        ];
        link_packet(RTM_NEWLINK, 0, true, &list)
    }

    fn only(datagram: &[u8]) -> Message {
        let mut packets = parse(datagram).unwrap();
        assert_eq!(packets.len(), 1);
        packets.remove(0).message
    }

    fn said(datagram: &[u8]) -> String {
        parse(datagram).unwrap_err().to_string()
    }

    #[test]
    fn a_link_is_read_and_what_is_unknown_is_passed_over() {
        let expected = Link {
            index: 3,
            name: "eth0".into(),
            up: true,
            other_end: Some(4),
        };
        assert!(matches!(only(&veth()), Message::Seen(link) if link == expected));
        let vlan = link_packet(
            RTM_NEWLINK,
            0,
            false,
            &[(IFLA_IFNAME, b"v"), (IFLA_LINK, &[4, 0, 0, 0])],
        );
        assert!(matches!(only(&vlan), Message::Seen(link) if link.other_end.is_none() && !link.up));
        let gone = link_packet(RTM_DELLINK, 0, false, &[(IFLA_IFNAME, b"eth0\0")]);
        assert!(matches!(only(&gone), Message::Gone(3)));
        let left_a_bridge = link_packet(RTM_DELLINK, 7, false, &[(IFLA_IFNAME, b"eth0\0")]);
        assert!(matches!(only(&left_a_bridge), Message::Else));
        assert!(matches!(
            only(&packet(libc::RTM_NEWROUTE, 0, b"a route")),
            Message::Else
        ));
    }

    #[test]
    fn a_datagram_may_hold_several_messages() {
        let mut datagram = veth();
        datagram.extend(packet(NLMSG_DONE, NLM_F_DUMP_INTR, &[0; 4]));
        let packets = parse(&datagram).unwrap();
        assert_eq!(packets.len(), 2);
        let last = &packets[1];
        assert!(last.interrupted && !packets[0].interrupted);
        assert_eq!((last.sequence, last.port), (7, 9));
        assert!(matches!(last.message, Message::Done));
    }

    #[test]
    fn the_kernels_errors_are_errors() {
        for kind in [NLMSG_DONE, NLMSG_ERROR] {
            let refused = packet(kind, 0, &(-1_i32).to_ne_bytes());
            assert!(
                matches!(only(&refused), Message::Failed(error) if error.raw_os_error() == Some(1))
            );
            let odd = packet(kind, 0, &i32::MIN.to_ne_bytes());
            assert!(matches!(only(&odd), Message::Failed(_)));
        }
        assert!(matches!(
            only(&packet(NLMSG_ERROR, 0, &[0; 4])),
            Message::Else
        ));
        assert!(matches!(only(&packet(NLMSG_DONE, 0, &[])), Message::Done));
    }

    #[test]
    fn what_is_malformed_says_what() {
        assert!(said(&veth()[..15]).contains("at least 16 bytes"));
        assert!(said(&veth()[..40]).contains("the buffer is 40 bytes long"));
        assert!(said(&packet(RTM_NEWLINK, 0, &[0; 15])).contains("Buffer too small: 15"));
        let nameless = link_packet(RTM_NEWLINK, 0, true, &[]);
        assert!(said(&nameless).ends_with("link 3 has no name"));
        let mut overlong = veth();
        overlong[32] = 200;
        assert!(said(&overlong).contains("malformed message about links"));
    }

    proptest! {
        #[test]
        fn spoilt_messages_never_panic(
            spoils in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut datagram = veth();
            datagram.extend(veth());
            for (at, byte) in spoils {
                *at.get_mut(&mut datagram) = byte;
            }
            datagram.truncate(cut.index(datagram.len() + 1));
            let most = datagram.len() / 16;
            prop_assert!(parse(&datagram).map_or(0, |packets| packets.len()) <= most);
        }
    }
}
