//! A bus, a subscriber on a thread of its own, one on this thread, and a few events.
use std::error::Error;
use std::thread;

use ringbus::{Bus, RecvError};

fn main() -> Result<(), Box<dyn Error>> {
    let bus = Bus::builder().capacity(1024).build()?;

    let mut prices = bus.subscribe()?;
    let printer = thread::spawn(move || {
        loop {
            match prices.recv() {
                Ok(price) => println!("price {}", *price),
                Err(RecvError::Evicted(why)) => return println!("too slow: {why}"),
                Err(end) => return println!("{end}"), // closed, all read
            }
        }
    });

    let mut sums = bus.subscribe()?;
    for price in [101.5, 101.7, 101.2] {
        bus.report(price)?; // never waits, however slow a subscriber is
    }
    let mut sum = 0.0;
    sums.drain(usize::MAX, |price| sum += price)?;
    println!("sum {sum}");

    let report = bus.stop(); // accepts nothing more, and waits until the printer has read everything
    println!("clean: {}", report.is_clean());
    printer.join().map_err(|_| "the printer panicked")?;
    Ok(())
}
