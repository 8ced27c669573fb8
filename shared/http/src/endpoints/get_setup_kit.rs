//! `GET /v1/setup-kit`

use latchkey_core::caller::Caller;
use latchkey_core::error::Cause;
use latchkey_core::operations::{GetSetupKit, Operation, Service};
use latchkey_core::request::RequestContext;
use latchkey_core::setup_kit::SetupKit;
use serde::Serialize;

use crate::answers::{FileAnswer, Problem, Success};
use crate::endpoints::Endpoint;
use crate::endpoints::setup_kit_archive::SetupKitArchive;
use crate::event::ApiRequest;

const ZIP: &str = "application/zip";

/// get-setup-kit at the edge.
pub struct GetSetupKitEndpoint(pub GetSetupKit);

impl<P> From<&Service<P>> for GetSetupKitEndpoint {
    fn from(service: &Service<P>) -> Self {
        Self(service.get_setup_kit())
    }
}

#[derive(Serialize)]
struct SetupKitResponse {
    #[serde(flatten)]
    kit: SetupKit,
    /// The SHA-256, in hexadecimal, of the zip that the same call returns.
    zip_sha256: String,
}

impl Endpoint for GetSetupKitEndpoint {
    const OPERATION: Operation = Operation::GetSetupKit;

    async fn call(&self, _context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        let kit = self.0.run(caller)?;
        let archive = SetupKitArchive::of(&kit).map_err(|_| Problem::internal(Cause::SetupKitBroken))?;
        if request.prefers(ZIP) {
            return Ok(Success::file(
                200,
                FileAnswer {
                    media_type: ZIP,
                    name: SetupKitArchive::FILE_NAME,
                    bytes: archive.into_bytes(),
                },
            ));
        }
        let zip_sha256 = archive.sha256();
        Success::json(200, &SetupKitResponse { kit, zip_sha256 })
    }
}
