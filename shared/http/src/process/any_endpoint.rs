//! Endpoints of different operations as values of one type.

use std::io::Write;

use futures::FutureExt;
use futures::future::BoxFuture;
use latchkey_core::operations::{Operation, Ports, Service};
use latchkey_core::request::RequestContext;
use serde_json::value::RawValue;

use crate::answers::Response;
use crate::endpoints::{self, Endpoint};
use crate::process::{Deployment, answer};

/// An endpoint behind a pointer, so that the code that calls it is compiled once for all operations.
pub trait AnyEndpoint: Send + Sync {
    /// As [`answer`].
    fn answer<'a>(
        &'a self,
        deployment: &'a Deployment,
        context: &'a RequestContext,
        payload: Box<RawValue>,
        log: &'a mut (dyn Write + Send),
    ) -> BoxFuture<'a, Response>;
}

impl<E: Endpoint> AnyEndpoint for E {
    fn answer<'a>(
        &'a self,
        deployment: &'a Deployment,
        context: &'a RequestContext,
        payload: Box<RawValue>,
        log: &'a mut (dyn Write + Send),
    ) -> BoxFuture<'a, Response> {
        answer(self, deployment, context, payload, log).boxed()
    }
}

macro_rules! endpoint_of {
    ($($kind:ident { $([$($operation:ident)+] $function:ident $endpoint:ident;)+ })+) => {
        /// The endpoint that serves an operation. This is for tests, which have all operations in one process. A function names
        /// its own endpoint, so that it links no other.
        pub fn endpoint_of<P>(operation: Operation, service: &Service<P>) -> Box<dyn AnyEndpoint>
        where
            P: Ports<Store: 'static, CustomerKeys: 'static, Clock: 'static, Announcer: 'static>,
        {
            match operation {
                $($($(Operation::$operation)|+ => Box::new(endpoints::$endpoint::from(service)),)+)+
            }
        }
    };
}

crate::for_each_endpoint!(endpoint_of);
