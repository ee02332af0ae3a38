//! What is published: events of several sizes, each with a number, so that losses and disorder show.

/// An event that can be made from its number, and gives it back. Its default is what slots hold
/// before the first lap, where they must hold something.
pub trait Payload: Default + Send + Sync + Sized + 'static {
    /// As tables and benchmarks name it.
    const NAME: &'static str;

    /// The event with this number.
    fn new(number: u64) -> Self;

    /// The number that it was made from.
    fn number(&self) -> u64;

    /// A sum over all that it carries: whoever asks for it has read the whole event.
    fn sum(&self) -> u64;

    /// What [`sum`](Self::sum) gives for the event with this number.
    fn sum_of(number: u64) -> u64;

    /// Makes this the event with another number, in place, with what it owns used again.
    #[inline(always)]
    fn renew(&mut self, number: u64) {
        *self = Self::new(number);
    }
}

/// Eight bytes: the number alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Word(pub [u64; 1]);

/// 48 bytes: with its stamp, an event in line fits a cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event48(pub [u64; 6]);

/// 200 bytes: several cache lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event200(pub [u64; 25]);

macro_rules! words {
    ($payload:ident, $words:literal, $name:literal) => {
        impl Payload for $payload {
            const NAME: &'static str = $name;

            // Every word is written, and none is a constant.
            #[inline(always)]
            fn new(number: u64) -> Self {
                Self([number; $words])
            }

            #[inline(always)]
            fn number(&self) -> u64 {
                self.0[0]
            }

            #[inline(always)]
            fn sum(&self) -> u64 {
                self.0.iter().fold(0, |sum, word| sum.wrapping_add(*word))
            }

            #[inline(always)]
            fn sum_of(number: u64) -> u64 {
                number.wrapping_mul($words)
            }
        }
    };
}
words!(Word, 1, "8 B");
words!(Event48, 6, "48 B");
words!(Event200, 25, "200 B");

/// An event that owns memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Message {
    /// What benchmarks publish.
    Text {
        /// The event's number.
        number: u64,
        /// As long as a short line of a log.
        text: String,
    },
    /// Nothing to say.
    #[default]
    Silence,
}

const TEXT: &str = "an order was filled at its limit";

impl Payload for Message {
    const NAME: &'static str = "enum with a String";

    #[inline(always)]
    fn new(number: u64) -> Self {
        let text = TEXT.into();
        Message::Text { number, text }
    }

    #[inline(always)]
    fn number(&self) -> u64 {
        match self {
            Message::Text { number, .. } => *number,
            Message::Silence => u64::MAX,
        }
    }

    #[inline(always)]
    fn sum(&self) -> u64 {
        match self {
            Message::Text { number, text } => number.wrapping_add(weight(text)),
            Message::Silence => 0,
        }
    }

    #[inline(always)]
    fn sum_of(number: u64) -> u64 {
        number.wrapping_add(weight(TEXT))
    }

    #[inline(always)]
    fn renew(&mut self, with: u64) {
        match self {
            Message::Text { number, text } => {
                *number = with;
                text.clear();
                text.push_str(TEXT);
            }
            Message::Silence => *self = Message::new(with),
        }
    }
}

/// Of the text's length and its first byte, so that its memory is looked at.
#[inline(always)]
fn weight(text: &str) -> u64 {
    let first = text.as_bytes().first().copied().unwrap_or_default();
    text.len() as u64 + u64::from(first)
}
