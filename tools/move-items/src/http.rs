//! The API over HTTPS, with the token of a person who may open and seal items.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Url, redirect};
use zeroize::Zeroizing;

use crate::client::Transport;
use crate::item_answer::Answer;
use crate::stop::Stop;

/// API Gateway answers within 30 s.
const TIMEOUT: Duration = Duration::from_secs(40);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the token comes from.
pub enum TokenSource {
    /// A token that stays the same.
    Given(Zeroizing<String>),
    /// A file that someone keeps fresh. It is read again when the token has expired.
    File(PathBuf),
}

/// The API of one Region.
pub struct Api {
    client: Client,
    base: String,
    source: TokenSource,
    token: Mutex<HeaderValue>,
}

impl Api {
    /// The API at `base`.
    ///
    /// # Errors
    /// [`Stop::Settings`] if a token must not be sent to this address, or if there is no token.
    pub fn new(base: &str, source: TokenSource) -> Result<Self, Stop> {
        let url = Url::parse(base).map_err(|_| Stop::Settings(format!("{base} is not an address")))?;
        let is_loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
            return Err(Stop::Settings(
                "the API's address must begin with https://, for tokens and plaintexts travel to it".to_owned(),
            ));
        }
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|_| Stop::Settings("no TLS: this machine's root certificates cannot be read".to_owned()))?;
        let token = Mutex::new(source.header()?);
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
            source,
            token,
        })
    }

    fn token(&self) -> HeaderValue {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A token other than `refused`, if there is one by now.
    fn fresh_token(&self, refused: &HeaderValue) -> Option<HeaderValue> {
        let TokenSource::File(_) = self.source else {
            return None;
        };
        let fresh = self.source.header().ok().filter(|fresh| fresh != refused)?;
        self.token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&fresh);
        Some(fresh)
    }

    async fn send(&self, path: &str, body: String, token: HeaderValue) -> Result<Answer, String> {
        let request = self.client.post(format!("{}{path}", self.base));
        let response = request
            .header(AUTHORIZATION, token)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let mut response = response.send().await.map_err(in_words)?;
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let length = response.content_length().unwrap_or_default();
        // There is room for the whole body from the start: a vector that moves leaves its old bytes behind.
        let mut body = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default()));
        while let Some(chunk) = response.chunk().await.map_err(in_words)? {
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after,
            body,
        })
    }
}

impl Transport for Api {
    async fn post(&self, path: &str, body: String) -> Result<Answer, String> {
        let token = self.token();
        let answer = self.send(path, body.clone(), token.clone()).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        match self.fresh_token(&token) {
            Some(fresh) => self.send(path, body, fresh).await,
            None => Ok(answer),
        }
    }
}

impl TokenSource {
    fn header(&self) -> Result<HeaderValue, Stop> {
        let text = match self {
            Self::Given(token) => token.clone(),
            Self::File(path) => {
                let read = std::fs::read_to_string(path);
                Zeroizing::new(read.map_err(Stop::disk(path.display().to_string()))?)
            }
        };
        let header = Zeroizing::new(format!("Bearer {}", text.trim()));
        let mut header = HeaderValue::from_str(&header)
            .map_err(|_| Stop::Settings("the token is not one line of visible characters".to_owned()))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// Says why there was no answer. Does not use the library's text, which names the address.
fn in_words(error: reqwest::Error) -> String {
    let why = if error.is_timeout() {
        "the API did not answer in time"
    } else if error.is_connect() {
        "the API cannot be reached"
    } else {
        "the connection broke"
    };
    why.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> TokenSource {
        TokenSource::Given(Zeroizing::new("token".to_owned()))
    }

    #[test]
    fn a_token_goes_nowhere_in_the_clear() {
        for address in [
            "https://api.example",
            "http://127.0.0.1:1/x",
            "http://localhost",
            "http://[::1]:1",
        ] {
            assert!(Api::new(address, given()).is_ok(), "{address}");
        }
        for address in [
            "http://api.example",
            "http://127.0.0.1.example",
            "ftp://127.0.0.1",
            "api.example",
            "",
        ] {
            assert!(Api::new(address, given()).is_err(), "{address}");
        }
    }
}
