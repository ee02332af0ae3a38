//! The links that are known, and what a message changes about them.

use super::change::{LinkAction, LinkChange};
use super::link::Link;
use super::message::Message;
use std::collections::{BTreeMap, VecDeque};

#[derive(Debug, Default)]
pub(super) struct Table {
    links: BTreeMap<u32, Link>,
}

impl Table {
    /// Takes one message in.
    pub fn apply(&mut self, message: Message, changes: &mut VecDeque<LinkChange>) {
        match message {
            Message::Seen(link) => {
                let index = link.index;
                let old = self.links.insert(index, link);
                self.compare(old.as_ref(), &self.links[&index], changes);
            }
            Message::Gone(index) => self.remove(index, changes),
            Message::Done | Message::Failed(_) | Message::Else => {}
        }
    }

    /// Takes a list of all links in. Removals come first: a name may have gone to another link.
    pub fn replace(&mut self, links: Vec<Link>, changes: &mut VecDeque<LinkChange>) {
        let links: BTreeMap<u32, Link> = links.into_iter().map(|link| (link.index, link)).collect();
        let known: Vec<u32> = self.links.keys().copied().collect();
        for gone in known.into_iter().filter(|index| !links.contains_key(index)) {
            self.remove(gone, changes);
        }
        let old = std::mem::replace(&mut self.links, links);
        for (index, link) in &self.links {
            self.compare(old.get(index), link, changes);
        }
    }

    fn remove(&mut self, index: u32, changes: &mut VecDeque<LinkChange>) {
        let Some(link) = self.links.remove(&index) else {
            return;
        };
        if link.up {
            changes.push_back(self.change(&link, &link.name, LinkAction::Down));
        }
        changes.push_back(self.change(&link, &link.name, LinkAction::Remove));
    }

    fn compare(&self, old: Option<&Link>, link: &Link, changes: &mut VecDeque<LinkChange>) {
        match old {
            None => changes.push_back(self.change(link, &link.name, LinkAction::Add)),
            Some(old) if old.name != link.name => {
                let new_name = link.name.clone();
                let rename = LinkAction::Rename { new_name };
                changes.push_back(self.change(link, &old.name, rename));
            }
            Some(_) => {}
        }
        if old.is_some_and(|old| old.up) != link.up {
            let action = if link.up {
                LinkAction::Up
            } else {
                LinkAction::Down
            };
            changes.push_back(self.change(link, &link.name, action));
        }
    }

    fn change(&self, link: &Link, name: &str, action: LinkAction) -> LinkChange {
        let other_end = link.other_end.and_then(|index| self.links.get(&index));
        LinkChange {
            index: link.index,
            name: name.to_owned(),
            action,
            veth: other_end.map(|other| other.name.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn link(index: u32, name: &str, up: bool, other_end: Option<u32>) -> Link {
        Link {
            index,
            name: name.into(),
            up,
            other_end,
        }
    }

    fn told(changes: VecDeque<LinkChange>) -> Vec<String> {
        changes
            .into_iter()
            .map(|change| format!("{} {:?} {:?}", change.name, change.action, change.veth))
            .collect()
    }

    #[test]
    fn ends_of_a_list_name_each_other_whatever_their_order() {
        let (mut table, mut changes) = (Table::default(), VecDeque::new());
        table.replace(
            vec![link(3, "b", false, Some(2)), link(2, "a", true, Some(3))],
            &mut changes,
        );
        let expected = ["a Add Some(\"b\")", "a Up Some(\"b\")", "b Add Some(\"a\")"];
        assert_eq!(told(changes), expected);
    }

    #[test]
    fn one_message_may_tell_of_two_things_and_of_none() {
        let (mut table, mut changes) = (Table::default(), VecDeque::new());
        for message in [
            link(2, "a", false, None),
            link(2, "b", true, Some(9)),
            link(2, "b", true, Some(9)),
        ] {
            table.apply(Message::Seen(message), &mut changes);
        }
        table.apply(Message::Gone(2), &mut changes);
        table.apply(Message::Gone(2), &mut changes);
        let expected = [
            "a Add None",
            "a Rename { new_name: \"b\" } None",
            "b Up None",
            "b Down None",
            "b Remove None",
        ];
        assert_eq!(told(changes), expected);
    }

    /// What a reader knows who heard only the changes.
    fn hear(known: &mut BTreeMap<u32, (String, bool)>, change: LinkChange) {
        let found = known.remove(&change.index);
        let (name, up) = match (change.action, found) {
            (LinkAction::Add, None) => (change.name, false),
            (action, Some((name, up))) => {
                assert_eq!(name, change.name);
                match action {
                    LinkAction::Rename { new_name } => (new_name, up),
                    LinkAction::Up if !up => (name, true),
                    LinkAction::Down if up => (name, false),
                    LinkAction::Remove if !up => return,
                    other => panic!("{other:?} of a link that is up: {up}"),
                }
            }
            (action, None) => panic!("{action:?} of a link that is not there"),
        };
        known.insert(change.index, (name, up));
    }

    proptest! {
        #[test]
        fn the_changes_alone_tell_the_whole_table(
            steps in prop::collection::vec(
                (0..3_u8, prop::collection::vec((1..6_u32, "[a-c]", any::<bool>()), 1..5)),
                1..20,
            ),
        ) {
            let (mut table, mut changes) = (Table::default(), VecDeque::new());
            let mut known = BTreeMap::new();
            for (kind, links) in steps {
                let mut links: Vec<Link> =
                    links.iter().map(|(index, name, up)| link(*index, name, *up, None)).collect();
                match kind {
                    0 => table.apply(Message::Seen(links.remove(0)), &mut changes),
                    1 => table.apply(Message::Gone(links[0].index), &mut changes),
                    _ => table.replace(links, &mut changes),
                }
                changes.drain(..).for_each(|change| hear(&mut known, change));
                let real = table.links.values().map(|link| (link.index, (link.name.clone(), link.up)));
                prop_assert_eq!(&known, &real.collect());
            }
        }
    }
}
