//! A service that runs: its timer, its heartbeat, and waiting for its end.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

use ringbus::ManualClock;
use ringbus_host::{
    BoxError, Manager, MemoryRegistry, PeriodicTask, PeriodicTasks, RegistryError, Service,
    ServiceBuilder, ServiceId, ServiceRecord, ServiceRegistry, StartError, Version,
};
use std::sync::{Arc, Mutex, OnceLock, Weak, mpsc};
use std::thread;
use std::time::Duration;

/// One periodic task: says that it began, and runs until it is let go.
struct Busy {
    begun: mpsc::Sender<()>,
    release: Mutex<mpsc::Receiver<()>>,
    ended: Mutex<u32>,
}

impl Busy {
    fn service() -> (Arc<Service<Busy>>, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (begun, begins) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let busy = Busy {
            begun,
            release: Mutex::new(released),
            ended: Mutex::default(),
        };
        let service = Service::builder(Arc::new(busy)).fuzzy_delay(Duration::ZERO);
        (Arc::new(service.build()), begins, release)
    }

    fn run(&self) -> Result<(), BoxError> {
        self.begun.send(())?;
        let _ = self.release.lock().unwrap().recv();
        *self.ended.lock().unwrap() += 1;
        Ok(())
    }
}

impl Manager for Busy {
    fn periodic_tasks(&self, tasks: &mut PeriodicTasks<Self>) {
        tasks.add(PeriodicTask::new("busy", 0), Self::run);
        tasks.add(PeriodicTask::new("never begun", 0), |_: &Self| {
            Err::<(), _>("begun after the stop")
        });
    }
}

#[test]
fn wait_awaits_a_task_that_is_running_and_no_other_begins() {
    let (service, begins, release) = Busy::service();
    service.start().unwrap();
    begins.recv().unwrap();
    service.stop(); // does not wait for the task
    assert!(!service.is_running());
    assert!(service.task_stats()[1].running);
    let (ready, readies) = mpsc::channel();
    let waiter = {
        let service = Arc::clone(&service);
        thread::spawn(move || {
            ready.send(()).unwrap();
            service.wait();
            *service.manager().ended.lock().unwrap()
        })
    };
    readies.recv().unwrap();
    // Room enough for one that does not wait to be caught.
    (0..10_000).for_each(|_| thread::yield_now());
    assert!(!waiter.is_finished());
    drop(release);
    assert_eq!(waiter.join().unwrap(), 1);
    let stats = service.task_stats();
    assert_eq!((stats[1].name.as_str(), stats[1].runs), ("busy", 1));
    assert_eq!((stats[2].runs, stats[2].failures), (0, 0));
}

/// A task that is due in each pass.
struct Plain;

impl Manager for Plain {
    fn periodic_tasks(&self, tasks: &mut PeriodicTasks<Self>) {
        tasks.add(PeriodicTask::new("task", 0), |_: &Self| {
            Ok::<_, BoxError>(())
        });
    }
}

fn plain() -> ServiceBuilder<Plain> {
    Service::builder(Arc::new(Plain)).capabilities_spacing(-1)
}

fn runs<M: Manager>(service: &Service<M>, task: &str) -> u64 {
    let stats = service.task_stats();
    stats.iter().find(|one| one.name == task).unwrap().runs
}

#[test]
fn wait_awaits_a_stop() {
    let service = plain().periodic_timer(false).build();
    service.wait(); // never started
    service.start().unwrap();
    let (ready, readies) = mpsc::channel();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            ready.send(()).unwrap();
            service.wait();
            service.is_running()
        });
        readies.recv().unwrap();
        (0..10_000).for_each(|_| thread::yield_now());
        assert!(!waiter.is_finished());
        service.stop();
        assert!(!waiter.join().unwrap());
    });
}

/// A periodic task that stops its own service, and waits for it.
#[derive(Default)]
struct Suicidal(OnceLock<Weak<Service<Suicidal>>>);

impl Manager for Suicidal {
    fn periodic_tasks(&self, tasks: &mut PeriodicTasks<Self>) {
        let end = |manager: &Self| {
            let service = manager.0.get().and_then(Weak::upgrade).ok_or("gone")?;
            service.stop();
            service.wait();
            Ok::<_, BoxError>(())
        };
        tasks.add(PeriodicTask::new("end", 0), end);
    }
}

#[test]
fn a_task_may_stop_its_service_and_wait() {
    let service = Service::builder(Arc::new(Suicidal::default()));
    let service = Arc::new(service.fuzzy_delay(Duration::ZERO).build());
    let weak = Arc::downgrade(&service);
    service.manager().0.set(weak).unwrap();
    // The task may well come before the start has returned, and undo it.
    let started = service.start();
    assert!(matches!(started, Ok(()) | Err(StartError::Stopped)));
    service.wait();
    let stats = service.task_stats();
    assert_eq!((stats[1].runs, stats[1].failures), (1, 0));
}

#[test]
fn a_stop_wakes_the_timer_out_of_its_first_delay() {
    // 300 years, of which a random part: none but a broken timer runs the task here.
    let service = plain()
        .fuzzy_delay(Duration::from_secs(10_000_000_000))
        .build();
    service.start().unwrap();
    service.stop();
    service.wait();
    assert_eq!(runs(&service, "task"), 0);
}

#[test]
fn the_host_may_run_what_is_due_itself() {
    let service = plain()
        .clock(ManualClock::new())
        .periodic_timer(false)
        .build();
    service.start().unwrap();
    let idle_for = service.run_periodic_tasks(true).unwrap();
    assert_eq!(idle_for, Duration::from_secs(60));
    assert_eq!(runs(&service, "task"), 1);
}

#[test]
fn external_tasks_run_where_the_service_allows_them() {
    struct External;
    impl Manager for External {
        fn periodic_tasks(&self, tasks: &mut PeriodicTasks<Self>) {
            let task = PeriodicTask::new("task", 0).external(true);
            tasks.add(task, |_: &Self| Ok::<_, BoxError>(()));
        }
    }
    for allowed in [false, true] {
        let service = Service::builder(Arc::new(External))
            .external_tasks(allowed)
            .build();
        service.run_periodic_tasks(true).unwrap();
        assert_eq!(runs(&service, "task"), u64::from(allowed));
    }
}

#[test]
fn a_start_forgets_the_last_runs_of_an_earlier_one() {
    struct Hourly;
    impl Manager for Hourly {
        fn periodic_tasks(&self, tasks: &mut PeriodicTasks<Self>) {
            let code = |_: &Self| Ok::<_, BoxError>(());
            tasks.add(PeriodicTask::new("later", 3600), code);
            let now = PeriodicTask::new("now", 3600).run_immediately(true);
            tasks.add(now, code);
        }
    }
    let clock = ManualClock::new();
    let service = Service::builder(Arc::new(Hourly)).clock(clock.clone());
    let service = service
        .capabilities_spacing(-1)
        .periodic_timer(false)
        .build();
    for starts in 1..=2 {
        clock.advance(Duration::from_secs(7200));
        service.start().unwrap();
        service.run_periodic_tasks(true).unwrap();
        let runs = service.task_stats().into_iter().map(|task| task.runs);
        assert_eq!(runs.collect::<Vec<_>>(), [0, starts, 0]);
        service.stop();
    }
}

/// A registry that says when it is asked for what.
struct Probe {
    records: MemoryRegistry,
    on_beat: Box<dyn Fn() + Send + Sync>,
    on_leave: Box<dyn Fn() + Send + Sync>,
}

impl ServiceRegistry for Probe {
    fn create(&self, id: &ServiceId, version: Version) -> Result<bool, RegistryError> {
        self.records.create(id, version)
    }
    fn join(&self, id: &ServiceId) -> Result<(), RegistryError> {
        self.records.join(id)
    }
    fn beat(&self, id: &ServiceId) -> Result<(), RegistryError> {
        let beat = self.records.beat(id);
        (self.on_beat)();
        beat
    }
    fn leave(&self, id: &ServiceId) -> Result<(), RegistryError> {
        (self.on_leave)();
        self.records.leave(id)
    }
    fn remove(&self, id: &ServiceId) -> Result<bool, RegistryError> {
        self.records.remove(id)
    }
    fn list(&self) -> Result<Vec<ServiceRecord>, RegistryError> {
        self.records.list()
    }
}

fn beating(registry: &Arc<Probe>) -> Service<Plain> {
    let pause = Duration::from_millis(1);
    plain()
        .registry(Arc::clone(registry))
        .heartbeat(pause)
        .build()
}

#[test]
fn a_member_has_a_heartbeat_until_it_leaves() {
    let (heard, beats) = mpsc::channel();
    let registry = Arc::new(Probe {
        records: MemoryRegistry::new(),
        on_beat: Box::new(move || {
            heard.send(()).unwrap();
            panic!("a registry that panics ends no heartbeat");
        }),
        on_leave: Box::new(|| ()),
    });
    let service = beating(&registry);
    service.start().unwrap();
    assert_eq!(beats.iter().take(3).count(), 3);
    service.stop();
    let more = beats.try_iter().count() as u64;
    let record = registry.list().unwrap().remove(0);
    assert!(!record.member);
    assert_eq!(record.beats, 1 + 3 + more, "the join, and each beat");
    service.kill().unwrap();
    assert_eq!(registry.list().unwrap(), [], "no beat brings it back");
}

#[test]
fn a_service_leaves_after_its_last_heartbeat() {
    let (begun, begins) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let (log, order) = mpsc::channel();
    let last = log.clone();
    let registry = Arc::new(Probe {
        records: MemoryRegistry::new(),
        on_beat: Box::new(move || {
            begun.send(()).unwrap();
            let _ = released.lock().unwrap().recv();
            log.send("beat").unwrap();
        }),
        on_leave: Box::new(move || last.send("leave").unwrap()),
    });
    let service = beating(&registry);
    service.start().unwrap();
    begins.recv().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| service.stop());
        while service.is_running() {
            thread::yield_now();
        }
        (0..10_000).for_each(|_| thread::yield_now());
        release.send(()).unwrap();
    });
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["beat", "leave"]);
}
