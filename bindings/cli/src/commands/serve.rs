//! `pagevec serve`: serves a folder over HTTP, as a static host does, with the headers that pages need to read ranges.
//!
//! `ServeDir` answers ranges, ETags and preconditions. This file adds CORS, caching and `If-Range`, and refuses hidden
//! files and encoded separators. Nothing is compressed, since a range of a compressed body is of no use. `serve/explorer.rs`
//! adds a page to look into an index.

mod explorer;

use crate::failure::Failure;
use crate::output;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{Next, from_fn};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::services::ServeDir;

type Body = axum::body::Body;

const PORT: u16 = 8787;
const PORTS_TRIED: u16 = 100;

const EXAMPLES: &str = "\
Examples:
  pagevec serve site
  pagevec serve site --host 0.0.0.0 --port 0 --cors https://example.org";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// The folder to serve: an index, or a site that holds indexes
    folder: PathBuf,
    /// The port to listen on; 0 takes a free one. Unless given: 8787, or the next that is free. The first line of the
    /// output names it
    #[arg(long)]
    port: Option<u16>,
    /// The address to listen on; with 0.0.0.0 other machines can connect
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Which pages may read: * for all, an origin (https://example.org), or none
    #[arg(long, default_value = "*")]
    cors: String,
}

impl Serve {
    pub(crate) fn run(self) -> Result<(), Failure> {
        if !self.folder.is_dir() {
            return Err(Failure::usage(format!("{} is not a folder", self.folder.display())));
        }
        let router = router(&self.folder, cors(&self.cors)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let failed = |error| Failure::io(Path::new("serve"), &error);
        runtime.map_err(failed)?.block_on(async {
            let listener = listen(self.host, self.port).await?;
            let address = listener.local_addr().map_err(failed)?;
            // Tests and scripts read this line to learn the port.
            output::text(|out| writeln!(out, "serving {} at http://{address}/", self.folder.display()))?;
            tokio::select! {
                served = axum::serve(listener, router) => served.map_err(failed),
                // It does not wait for downloads, since the user wants to stop.
                stopped = tokio::signal::ctrl_c() => stopped.map_err(failed),
            }
        })
    }
}

/// Listens on `port`. If none is given, and another program has the usual one, the next that is free will do.
async fn listen(host: IpAddr, port: Option<u16>) -> Result<TcpListener, Failure> {
    let mut wanted = SocketAddr::new(host, port.unwrap_or(PORT));
    loop {
        match TcpListener::bind(wanted).await {
            Err(error)
                if error.kind() == ErrorKind::AddrInUse
                    && port.is_none()
                    && wanted.port() < PORT + PORTS_TRIED =>
            {
                wanted.set_port(wanted.port() + 1);
            }
            bound => return bound.map_err(|error| Failure::io(Path::new(&wanted.to_string()), &error)),
        }
    }
}

fn router(folder: &Path, cors: Option<CorsLayer>) -> Router {
    let router = Router::new()
        .fallback_service(ServeDir::new(folder))
        .layer(from_fn(explorer::explore))
        .layer(from_fn(describe))
        .layer(from_fn(if_range))
        .layer(from_fn(refuse_hidden));
    match cors {
        Some(cors) => router.layer(cors),
        None => router,
    }
}

fn cors(origin: &str) -> Result<Option<CorsLayer>, Failure> {
    let allowed = match origin {
        "none" => return Ok(None),
        "*" => AllowOrigin::any(),
        _ => {
            let plain = origin.starts_with("http") && !origin.ends_with('/');
            let value = HeaderValue::from_str(origin).ok().filter(|_| plain);
            let wrong = || {
                Failure::usage(format!(
                    "--cors {origin}: give *, none, or an origin like https://example.org"
                ))
            };
            AllowOrigin::exact(value.ok_or_else(wrong)?)
        }
    };
    let exposed = [header::ACCEPT_RANGES, header::CONTENT_LENGTH, header::CONTENT_RANGE, header::ETAG];
    let sent = [header::RANGE, header::IF_MATCH, header::IF_NONE_MATCH, header::IF_RANGE];
    let cors = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers(sent)
        .expose_headers(exposed)
        .max_age(Duration::from_secs(24 * 60 * 60));
    Ok(Some(cors))
}

/// Refuses hidden files, and paths with an encoded separator (`%2f`, `%5c`), which no honest client sends.
async fn refuse_hidden(request: Request, next: Next) -> Response<Body> {
    if hidden(request.uri().path()) { status(StatusCode::NOT_FOUND) } else { next.run(request).await }
}

fn hidden(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let mut segments = path.split('/');
    path.contains("%2f")
        || path.contains("%5c")
        || segments.any(|s| s.starts_with('.') || s.starts_with("%2e"))
}

/// Adds `If-Range`, which `ServeDir` does not support: if the file has changed, the whole file is sent, since the
/// client would otherwise combine ranges of two versions.
async fn if_range(mut request: Request, next: Next) -> Response<Body> {
    let Some(version) = request.headers_mut().remove(header::IF_RANGE) else {
        return next.run(request).await;
    };
    let mut whole = Request::new(Body::empty());
    (*whole.method_mut(), *whole.uri_mut()) = (request.method().clone(), request.uri().clone());
    let response = next.clone().run(request).await;
    let headers = response.headers();
    let same =
        headers.get(header::ETAG) == Some(&version) || headers.get(header::LAST_MODIFIED) == Some(&version);
    let ranged = matches!(response.status(), StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE);
    if same || !ranged { response } else { next.run(whole).await }
}

/// Adds headers for caching and types. Files that are named by their content never change and are cached for good;
/// others are revalidated, mostly by a 304. Scripts have the type of RFC 9239.
async fn describe(request: Request, next: Next) -> Response<Body> {
    let named_by_content = named_by_content(request.uri().path());
    let mut response = next.run(request).await;
    let found = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let value = match (found, named_by_content) {
        (true, true) => "public, max-age=31536000, immutable, no-transform",
        _ => "no-cache",
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    if headers.get(header::CONTENT_TYPE).is_some_and(|t| t == "application/javascript") {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript"));
    }
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

/// `seg-<hash>.bin`, a part of it: `seg-<hash>/0-65535.bin`, dead rows: `dead-<hash>.bin`, and wasm with a hash in its
/// name: `pagevec-3f9c0a12.wasm`.
fn named_by_content(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    let hash = |part: &str| part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let segment = |stem: &str| stem.strip_prefix("seg-").is_some_and(hash);
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let range = |stem: &str| stem.split_once('-').is_some_and(|(first, last)| number(first) && number(last));
    match name.rsplit_once('.') {
        Some((stem, "bin")) if stem.strip_prefix("dead-").is_some_and(hash) => true,
        Some((stem, "bin")) => segment(stem) || range(stem) && folder.rsplit('/').next().is_some_and(segment),
        Some((stem, "wasm")) => stem.rsplit(['-', '.', '_']).next().is_some_and(hash),
        _ => false,
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::{hidden, named_by_content};

    #[test]
    fn only_names_made_of_content_are_immutable() {
        assert!(named_by_content("/words/seg-0123456789abcdef0123456789abcdef.bin"));
        assert!(named_by_content("/words/dead-0123456789abcdef0123456789abcdef.bin"));
        assert!(named_by_content("/pkg/pagevec-3f9c0a12.wasm"));
        assert!(named_by_content("/words/seg-0123456789abcdef0123456789abcdef/0-65535.bin"));
        for path in [
            "/words/index.json",
            "/",
            "/words/data.bin",
            "/pkg/pagevec_wasm_bg.wasm",
            "/seg-/x.bin",
            "/0-65535.bin",
            "/words/0-65535.bin",
            "/words/dead-.bin",
            "/dead-0123456789abcdef0123456789abcdef/0-65535.bin",
            "/seg-0123456789abcdef/part.bin",
        ] {
            assert!(!named_by_content(path), "{path}");
        }
    }

    #[test]
    fn hidden_paths() {
        for path in
            ["/.git/config", "/a/../b", "/%2e%2e/b", "/a/%2E%2e/b", "/a%2f..%2fb", "/a%5cb", "/.", "/a/.env"]
        {
            assert!(hidden(path), "{path}");
        }
        for path in ["/", "/a.b/c.d", "/a%20b", "/words/seg-00.bin"] {
            assert!(!hidden(path), "{path}");
        }
    }
}
