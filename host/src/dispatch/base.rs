//! The methods that every service has.

use super::context::Context;
use super::methods::{Api, Methods, NoArgs};
use super::version::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::convert::Infallible;
use std::sync::Arc;

const NAMESPACE: &str = "baseapi";
const VERSION: Version = Version::new(1, 1);

/// `ping` gives back its argument with the service's name; `get_backdoor_port` is null without a backdoor.
pub(crate) fn base_api(service: String, backdoor_port: Option<u16>) -> Api {
    let mut methods = Methods::new();
    methods.add("ping", Base::ping);
    methods.add("get_backdoor_port", Base::backdoor_port);
    let base = Base {
        service,
        backdoor_port,
    };
    Api::new(VERSION, Arc::new(base), methods).with_namespace(NAMESPACE)
}

struct Base {
    service: String,
    backdoor_port: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ping {
    arg: Value,
}

#[derive(Serialize)]
struct Pong {
    service: String,
    arg: Value,
}

impl Base {
    fn ping(&self, _context: &Context, args: Ping) -> Result<Pong, Infallible> {
        Ok(Pong {
            service: self.service.clone(),
            arg: args.arg,
        })
    }

    fn backdoor_port(&self, _context: &Context, _args: NoArgs) -> Result<Option<u16>, Infallible> {
        Ok(self.backdoor_port)
    }
}
