//! One HTTP exchange under async-openai: guarded, limited, never repeated, every failure classified.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use futures::future::BoxFuture;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::answer::name;
use super::complaint::Complaint;
use super::error::{ErrorClass, ProviderError};
use super::kind::Provider;
use crate::net::{HttpClient, Unanswered};

/// An error body beyond this many bytes is not read; the status decides alone.
const LONGEST_COMPLAINT: usize = 64 * 1024;

/// The transport that async-openai calls instead of its own, which retries inside and forgets the headers.
#[derive(Clone)]
pub(super) struct Exchange {
    /// The client for exactly this server.
    pub(super) client: HttpClient,
    /// Who is asked.
    pub(super) provider: Provider,
    /// Largest answer, in bytes.
    pub(super) longest: usize,
    /// Where the provider's id of the exchange is left for the caller.
    pub(super) request_id: Arc<OnceLock<String>>,
}

/// Why an exchange gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(super) struct Failure {
    /// What the run has to know.
    pub(super) error: ProviderError,
    /// The parameter that the model refused, if that was the reason.
    pub(super) unsupported: Option<String>,
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self { error, unsupported: None }
    }
}

impl From<OpenAIError> for Failure {
    fn from(error: OpenAIError) -> Self {
        match error {
            OpenAIError::Boxed(boxed) => match boxed.downcast::<Self>() {
                Ok(failure) => *failure,
                Err(_) => ProviderError::unreadable(200, "client").into(),
            },
            // The request could not be built, so nothing was sent.
            OpenAIError::InvalidArgument(_) | OpenAIError::Reqwest(_) => {
                ProviderError::unsent(ErrorClass::BadRequest, "client").into()
            }
            _ => ProviderError::unreadable(200, "client").into(),
        }
    }
}

impl tower::Service<HttpRequestFactory> for Exchange {
    type Response = Response;
    type Error = OpenAIError;
    type Future = BoxFuture<'static, Result<Response, OpenAIError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        let exchange = self.clone();
        Box::pin(async move {
            let request = factory.build().await?;
            exchange.run(request).await.map_err(|failure| OpenAIError::Boxed(Box::new(failure)))
        })
    }
}

impl Exchange {
    /// A success, read completely.
    pub(super) async fn run(&self, request: reqwest::Request) -> Result<Response, Failure> {
        let response = self.open(request).await?;
        let request_id = id_of(response.headers());
        let read = self.success(response).await.map_err(Failure::from);
        read.map_err(|failure| failure.with_request_id(request_id))
    }

    /// A success whose body is still to be read.
    pub(super) async fn open(&self, request: reqwest::Request) -> Result<Response, Failure> {
        let response = self.client.execute(request).await.map_err(unanswered)?;
        let request_id = id_of(response.headers());
        if let Some(id) = &request_id {
            // A second exchange of the same call keeps the first id; either finds it.
            let _ = self.request_id.set(id.clone());
        }
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(self.complaint(response).await.with_request_id(request_id))
        }
    }

    /// The answer, read completely within the limit, for async-openai to parse.
    async fn success(&self, response: Response) -> Result<Response, ProviderError> {
        let status = response.status();
        let body = read_body(response, self.longest).await.map_err(|fault| match fault {
            BodyFault::TooLong => ProviderError::unreadable(status.as_u16(), "too_long"),
            BodyFault::Lost(lost) => {
                ProviderError { status: Some(status.as_u16()), ..ProviderError::ambiguous(lost.error) }
            }
        })?;
        // async-openai would log a body that is no JSON, mail text included.
        if serde_json::from_slice::<IgnoredAny>(&body).is_err() {
            return Err(ProviderError::unreadable(status.as_u16(), "no_json"));
        }
        let mut answer = http::Response::new(body);
        *answer.status_mut() = StatusCode::OK;
        Ok(Response::from(answer))
    }

    async fn complaint(&self, response: Response) -> Failure {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read_body(response, LONGEST_COMPLAINT).await.unwrap_or_default();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let complaint = Complaint { provider: self.provider, status, headers: &headers, body: &body };
        let unsupported = complaint.unsupported_parameter().map(str::to_owned);
        Failure { error: complaint.to_error(), unsupported }
    }
}

impl Failure {
    fn with_request_id(mut self, id: Option<String>) -> Self {
        self.error.request_id = id;
        self
    }
}

fn unanswered(fault: Unanswered) -> ProviderError {
    if fault.was_sent { ProviderError::ambiguous(fault.error) } else { ProviderError::unreached(fault.error) }
}

fn id_of(headers: &HeaderMap) -> Option<String> {
    let found = ["x-request-id", "x-generation-id"].into_iter().find_map(|name| headers.get(name));
    found.and_then(|value| value.to_str().ok()).and_then(name)
}

enum BodyFault {
    TooLong,
    Lost(Unanswered),
}

async fn read_body(mut response: Response, longest: usize) -> Result<Vec<u8>, BodyFault> {
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| BodyFault::Lost(Unanswered::from_client(&error)))?
    {
        if body.len() + chunk.len() > longest {
            return Err(BodyFault::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
