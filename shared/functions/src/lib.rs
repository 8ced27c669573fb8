//! What each Lambda function runs, from its environment to its last invocation.
//!
//! The functions of this crate have no type parameters, and each polls its one future here. So the operations on the
//! AWS ports, the SDK below them and the runtime's loop are compiled once, here, and a binary of `functions/` only
//! links. The linker drops what an operation does not use.

use core::future::Future;
use core::pin::Pin;

use latchkey_aws::{Aws, Settings};
use latchkey_core::operations::Service;
use latchkey_http::canary::serve_canary;
use latchkey_http::{ALLOCATOR, Allocator, AnyEndpoint, block_on, endpoints, init, serve};

/// Why a function ends: its environment lacks something, or the Runtime API cannot be reached.
pub use lambda_runtime::Error;

/// The allocator of every binary that links this crate. It zeroes what is freed (docs/adr/0017).
#[global_allocator]
static GLOBAL_ALLOCATOR: Allocator = ALLOCATOR;

macro_rules! functions {
    (
        on_ports { $([$($on_ports:ident)+] $function:ident $endpoint:ident;)+ }
        alone { $([$($alone:ident)+] $alone_function:ident $alone_endpoint:ident;)+ }
    ) => {
        $(
            #[doc = concat!("Runs the function that serves ", stringify!($($on_ports),+), ".")]
            ///
            /// # Errors
            /// As [`Error`] says.
            pub fn $function() -> Result<(), Error> {
                run(|service| Box::new(endpoints::$endpoint::from(service)))
            }
        )+
        $(
            #[doc = concat!("Runs the function that serves ", stringify!($($alone),+), ".")]
            ///
            /// # Errors
            /// As [`Error`] says.
            pub fn $alone_function() -> Result<(), Error> {
                run_alone(|service| Box::new(endpoints::$alone_endpoint::from(service)))
            }
        )+
    };
}

latchkey_http::for_each_endpoint!(functions);

/// Runs the canary.
///
/// # Errors
/// As [`Error`] says.
pub fn canary() -> Result<(), Error> {
    to_the_end(Box::pin(async {
        init();
        let settings = Settings::from_environment()?;
        let aws = Aws::connect(&settings).await;
        serve_canary(aws.deployed_functions()).await
    }))
}

/// Serves the endpoint that `build` makes from this environment's service.
fn run(build: fn(&Service<Aws>) -> Box<dyn AnyEndpoint>) -> Result<(), Error> {
    to_the_end(Box::pin(async move {
        init();
        let settings = Settings::from_environment()?;
        let service = Service {
            ports: Aws::connect(&settings).await,
            settings: settings.service(),
        };
        serve(build(&service)).await
    }))
}

/// The same for an endpoint that makes no calls, so no clients are made.
fn run_alone(build: fn(&Service<()>) -> Box<dyn AnyEndpoint>) -> Result<(), Error> {
    to_the_end(Box::pin(async move {
        init();
        let settings = Settings::from_environment()?.service();
        serve(build(&Service { ports: (), settings })).await
    }))
}

fn to_the_end(function: Pin<Box<dyn Future<Output = Result<(), Error>>>>) -> Result<(), Error> {
    block_on(function)
}
