//! How a request gets from a client to a dispatcher.

use super::context::Context;
use super::dispatcher::Dispatcher;
use super::error::{CallError, DispatchError};
use super::request::Request;
use serde_json::Value;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread;

const CASTS: usize = 1024;

/// Carries requests.
pub trait Transport: Send + Sync + 'static {
    /// Has the request dispatched, and waits for the result.
    ///
    /// # Errors
    /// [`CallError::Dispatch`], or why there is no answer.
    fn call(&self, context: &Context, request: Request) -> Result<Value, CallError>;

    /// Has the request dispatched, and waits for nothing.
    ///
    /// # Errors
    /// Why it could not be sent.
    fn cast(&self, context: &Context, request: Request) -> Result<(), CallError>;
}

/// To a dispatcher in this process. A call runs on the caller's thread; casts run in order on a thread of their own.
///
/// At most 1024 casts wait; one more is [`CallError::Full`]. A cast that fails is logged. Those that wait when this is
/// dropped are still run.
#[derive(Debug)]
pub struct InProcess {
    dispatcher: Arc<Dispatcher>,
    casts: SyncSender<(Context, Request)>,
}

impl InProcess {
    /// Starts the thread for casts.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub fn new(dispatcher: Arc<Dispatcher>) -> io::Result<Self> {
        let (casts, waiting) = mpsc::sync_channel::<(Context, Request)>(CASTS);
        let theirs = Arc::clone(&dispatcher);
        let run = move || {
            for (context, request) in waiting {
                let id = context.request_id.clone();
                if let Err(error) = theirs.dispatch(&context, request) {
                    let why = match error {
                        // What serde says of them quotes them.
                        DispatchError::BadArguments { .. } => "its arguments do not fit".to_owned(),
                        error => error.to_string(),
                    };
                    tracing::warn!(request = id, "cast failed: {why}");
                }
            }
        };
        let thread = thread::Builder::new().name("ringbus-cast".to_owned());
        thread.spawn(run)?;
        Ok(Self { dispatcher, casts })
    }
}

impl Transport for InProcess {
    fn call(&self, context: &Context, request: Request) -> Result<Value, CallError> {
        Ok(self.dispatcher.dispatch(context, request)?)
    }

    fn cast(&self, context: &Context, request: Request) -> Result<(), CallError> {
        let sent = self.casts.try_send((context.clone(), request));
        sent.map_err(|error| match error {
            TrySendError::Full(_) => CallError::Full { limit: CASTS },
            TrySendError::Disconnected(_) => CallError::Transport("the thread ended".into()),
        })
    }
}
