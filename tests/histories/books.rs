//! What was published and what was read, and the check at the end that the two agree.

use std::collections::BTreeMap;

/// No time: an event that is still under way, or a stay that owes nothing.
pub(crate) const NEVER: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its call has not come back, or its publisher carries it.
    UnderWay,
    Accepted,
    Refused,
}

struct Entry {
    source: u32,
    /// The step at which its call began.
    began: u32,
    /// The step at which it was accepted.
    accepted: u32,
    state: State,
}

/// Every event of a round by its number.
#[derive(Default)]
pub(crate) struct Books {
    entries: Vec<Entry>,
    pub(crate) accepted: u64,
}

/// A stretch of a reader's life over which it may miss no event.
#[derive(Debug)]
pub(crate) struct Stay {
    /// The step at which it had joined: it owes every accepted event whose call began later.
    pub(crate) joined: u32,
    /// The sequence at which it joined.
    pub(crate) from: u64,
    /// It was read to the end of the bus.
    pub(crate) to_the_end: bool,
    pub(crate) events: Vec<(u64, Option<u64>)>,
}

impl Stay {
    pub(crate) fn new(joined: u32, from: u64) -> Self {
        Stay {
            joined,
            from,
            to_the_end: false,
            events: Vec::new(),
        }
    }
}

impl Books {
    /// Returns the numbers for so many events of a call that begins now.
    pub(crate) fn offer(&mut self, source: u32, now: u32, many: u64) -> std::ops::Range<u64> {
        let first = self.entries.len() as u64;
        self.entries.extend((0..many).map(|_| Entry {
            source,
            began: now,
            accepted: NEVER,
            state: State::UnderWay,
        }));
        first..first + many
    }

    pub(crate) fn accept(&mut self, number: u64, now: u32) {
        let entry = &mut self.entries[number as usize];
        assert_eq!(entry.state, State::UnderWay, "accepted: {number}");
        entry.state = State::Accepted;
        entry.accepted = now;
        self.accepted += 1;
    }

    pub(crate) fn refuse(&mut self, number: u64) {
        let entry = &mut self.entries[number as usize];
        assert_eq!(entry.state, State::UnderWay, "refused: {number}");
        entry.state = State::Refused;
    }

    /// Returns the first accepted event that the stay owes and has not read.
    pub(crate) fn missing(&self, stay: &Stay) -> Option<u64> {
        self.owed(stay, NEVER)
    }

    /// Returns the first event, accepted before the step `until`, that the stay owes and has not read.
    fn owed(&self, stay: &Stay, until: u32) -> Option<u64> {
        let mut read = vec![false; self.entries.len()];
        for (number, _) in &stay.events {
            read[*number as usize] = true;
        }
        let owes = |entry: &Entry| {
            entry.state == State::Accepted && entry.began > stay.joined && entry.accepted < until
        };
        (0..)
            .zip(self.entries.iter().zip(read))
            .find(|(_, (entry, read))| owes(entry) && !read)
            .map(|(number, _)| number)
    }

    /// Checks all that was read against all that was published.
    pub(crate) fn check(&self, readers: &[(u32, &[Stay])]) {
        let (sequence_of, event_at) = self.agree_on_sequences(readers);
        for (reader, stays) in readers {
            self.check_order(*reader, stays, &sequence_of);
            for stay in *stays {
                self.check_stay(*reader, stay, &sequence_of, &event_at);
            }
        }
    }

    /// Returns which event has which sequence, as all readers were told.
    fn agree_on_sequences(
        &self,
        readers: &[(u32, &[Stay])],
    ) -> (Vec<Option<u64>>, BTreeMap<u64, u64>) {
        let mut sequence_of = vec![None; self.entries.len()];
        let mut event_at = BTreeMap::new();
        let events = readers
            .iter()
            .flat_map(|(reader, stays)| stays.iter().map(move |stay| (reader, stay)))
            .flat_map(|(reader, stay)| stay.events.iter().map(move |event| (reader, event)));
        for (reader, (number, sequence)) in events {
            let Some(sequence) = *sequence else { continue };
            let known = *sequence_of[*number as usize].get_or_insert(sequence);
            assert_eq!(known, sequence, "reader {reader}: event {number} twice");
            let known = *event_at.entry(sequence).or_insert(*number);
            assert_eq!(known, *number, "reader {reader}: two events at {sequence}");
        }
        (sequence_of, event_at)
    }

    /// A reader was given no event twice, none that was refused, and those of a source in order.
    fn check_order(&self, reader: u32, stays: &[Stay], sequence_of: &[Option<u64>]) {
        let mut last_of: BTreeMap<u32, u64> = BTreeMap::new();
        let mut last_sequence = None;
        for (number, _) in stays.iter().flat_map(|stay| &stay.events) {
            let entry = &self.entries[*number as usize];
            let state = entry.state;
            assert_eq!(state, State::Accepted, "reader {reader} was given {number}");
            let last = last_of.insert(entry.source, *number);
            assert!(
                last.is_none_or(|last| last < *number),
                "reader {reader} was given {number} after {last:?} of the same publisher"
            );
            let sequence = sequence_of[*number as usize];
            assert!(
                sequence.is_none() || sequence > last_sequence,
                "reader {reader} was given {number} at {sequence:?} after {last_sequence:?}"
            );
            last_sequence = sequence.or(last_sequence);
        }
    }

    /// A reader missed nothing during a stay.
    fn check_stay(
        &self,
        reader: u32,
        stay: &Stay,
        sequence_of: &[Option<u64>],
        event_at: &BTreeMap<u64, u64>,
    ) {
        // What was accepted before the call of an event began that it read comes before that event.
        let began = |(number, _): &(u64, Option<u64>)| self.entries[*number as usize].began;
        let until = match stay.events.iter().map(began).max() {
            _ if stay.to_the_end => NEVER,
            Some(began) => began,
            None => 0,
        };
        let lost = self.owed(stay, until);
        assert_eq!(
            lost, None,
            "reader {reader} lost an event, joined {}",
            stay.joined
        );

        // All that another reader was given in between.
        let last = stay.events.iter().rev();
        let last = last.filter_map(|(number, _)| sequence_of[*number as usize]);
        let end = match last.max() {
            _ if stay.to_the_end => u64::MAX,
            Some(last) => last,
            None => return,
        };
        let mut read: Vec<u64> = stay.events.iter().map(|(number, _)| *number).collect();
        read.sort_unstable();
        for (sequence, number) in event_at.range(stay.from.min(end)..end) {
            assert!(
                read.binary_search(number).is_ok(),
                "reader {reader} lost event {number} at {sequence}, which another was given"
            );
        }
        let early = stay.events.iter().find(|(number, _)| {
            sequence_of[*number as usize].is_some_and(|sequence| sequence < stay.from)
        });
        assert_eq!(early, None, "reader {reader} joined at {}", stay.from);
    }
}
