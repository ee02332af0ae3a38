//! The answer to a request for all links, told from what else comes meanwhile.

use super::change::LinkChange;
use super::link::Link;
use super::message::{Message, Packet};
use super::table::Table;
use std::collections::VecDeque;
use std::io;

/// A list that is coming in.
#[derive(Debug)]
pub(super) struct Listing {
    port: u32,
    sequence: u32,
    links: Vec<Link>,
    /// Changes that came meanwhile.
    later: Vec<Message>,
}

#[derive(Debug)]
pub(super) enum Progress {
    More,
    Whole,
    /// The links changed between the list's parts.
    Torn,
    Refused(io::Error),
}

impl Listing {
    /// Of the request of this number, by the socket of this port.
    pub fn new(port: u32, sequence: u32) -> Self {
        Listing {
            port,
            sequence,
            links: Vec::new(),
            later: Vec::new(),
        }
    }

    pub fn take(&mut self, packet: Packet) -> Progress {
        if (packet.port, packet.sequence) != (self.port, self.sequence) {
            self.later.push(packet.message);
            return Progress::More;
        }
        if packet.interrupted {
            return Progress::Torn;
        }
        match packet.message {
            Message::Seen(link) => self.links.push(link),
            Message::Done => return Progress::Whole,
            Message::Failed(error) => return Progress::Refused(error),
            Message::Gone(_) | Message::Else => {}
        }
        Progress::More
    }

    /// Brings a table up to date. What changed meanwhile may or may not be in the list, but the last word on a link
    /// came last.
    pub fn enter(self, table: &mut Table, changes: &mut VecDeque<LinkChange>) {
        table.replace(self.links, changes);
        for message in self.later {
            table.apply(message, changes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LinkAction;

    fn packet(sequence: u32, message: Message) -> Packet {
        Packet {
            port: 9,
            sequence,
            interrupted: false,
            message,
        }
    }

    fn seen(index: u32, name: &str) -> Message {
        Message::Seen(Link {
            index,
            name: name.into(),
            up: false,
            other_end: None,
        })
    }

    #[test]
    fn what_comes_meanwhile_has_the_last_word() {
        let mut listing = Listing::new(9, 7);
        for packet in [
            packet(7, seen(1, "a")),
            packet(0, seen(2, "new")),
            packet(7, seen(2, "old")),
            packet(0, Message::Gone(1)),
            packet(6, Message::Done), // of an earlier request
            packet(0, seen(3, "late")),
        ] {
            assert!(matches!(listing.take(packet), Progress::More));
        }
        assert!(matches!(
            listing.take(packet(7, Message::Done)),
            Progress::Whole
        ));
        let (mut table, mut changes) = (Table::default(), VecDeque::new());
        listing.enter(&mut table, &mut changes);
        let told: Vec<_> = changes
            .iter()
            .map(|change| (&*change.name, &change.action))
            .collect();
        let rename = LinkAction::Rename {
            new_name: "new".into(),
        };
        let expected = [
            ("a", &LinkAction::Add),
            ("old", &LinkAction::Add),
            ("old", &rename),
            ("a", &LinkAction::Remove),
            ("late", &LinkAction::Add),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_torn_list_and_a_refusal_are_told_if_they_are_ours() {
        for (sequence, ours) in [(7, true), (6, false)] {
            let mut listing = Listing::new(9, 7);
            let mut torn = packet(sequence, seen(1, "a"));
            torn.interrupted = true;
            assert_eq!(matches!(listing.take(torn), Progress::Torn), ours);
            let refused = Message::Failed(io::Error::from_raw_os_error(1));
            let refused = listing.take(packet(sequence, refused));
            assert_eq!(matches!(refused, Progress::Refused(_)), ours);
        }
        let mut elsewhere = packet(7, Message::Done);
        elsewhere.port = 0;
        assert!(matches!(Listing::new(9, 7).take(elsewhere), Progress::More));
    }
}
