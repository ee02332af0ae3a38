//! What the two kinds of publisher have each in its own way: how they are built, and how they end.

use ringbus::{
    BuildError, Bus, BusBuilder, Exclusive, ExclusivePublisher, Publish, Publisher, Shared,
};

use crate::payload::Payload;

/// A publisher of either kind. It reports by [`Publish`].
pub trait PublisherKind: Publish<Self::Event> + Send + Sized + 'static {
    /// The kind, as groups of scenarios name it.
    const NAME: &'static str;
    /// What it publishes.
    type Event: Payload;
    /// The mode of its bus.
    type Mode: Send + Sync + 'static;

    /// Builds a bus, and a publisher of it.
    ///
    /// # Errors
    /// The builder's own.
    fn build(builder: BusBuilder<Self::Event>) -> Result<WithBus<Self>, BuildError>;

    /// Returns how many events it took from an iterator and could not place yet.
    fn carried(&self) -> usize;

    /// Wakes the worker's thread, if the reports do not wake it by themselves.
    fn wake(&self);

    /// Stops its bus.
    fn stop(self, bus: &Bus<Self::Event, Self::Mode>);
}

/// A publisher and its bus.
pub type WithBus<R> = (
    R,
    Bus<<R as PublisherKind>::Event, <R as PublisherKind>::Mode>,
);

impl<P: Payload> PublisherKind for Publisher<P> {
    const NAME: &'static str = "shared";
    type Event = P;
    type Mode = Shared;

    fn build(builder: BusBuilder<P>) -> Result<WithBus<Self>, BuildError> {
        let bus = builder.build()?;
        Ok((bus.publisher(), bus))
    }

    #[inline(always)]
    fn carried(&self) -> usize {
        Publisher::carried(self)
    }

    #[inline(always)]
    fn wake(&self) {}

    fn stop(self, bus: &Bus<P>) {
        drop(bus.stop());
    }
}

impl<P: Payload> PublisherKind for ExclusivePublisher<P> {
    const NAME: &'static str = "exclusive";
    type Event = P;
    type Mode = Exclusive;

    fn build(builder: BusBuilder<P>) -> Result<WithBus<Self>, BuildError> {
        builder.build_exclusive()
    }

    #[inline(always)]
    fn carried(&self) -> usize {
        0
    }

    #[inline(always)]
    fn wake(&self) {
        ExclusivePublisher::wake(self);
    }

    fn stop(self, _: &Bus<P, Exclusive>) {
        drop(ExclusivePublisher::stop(self));
    }
}
