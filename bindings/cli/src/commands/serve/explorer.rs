//! The explorer: a page that searches an index and shows what it reads. `/` of a folder that is an index and has no page of
//! its own leads to it. Its files lie below `/_pagevec/`, as in the npm package, and what the served folder has comes first.

use super::{Body, status};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::middleware::Next;

include!(concat!(env!("OUT_DIR"), "/explorer_files.rs"));

const PREFIX: &str = "/_pagevec/";
const PAGE: &str = "explorer/index.html";
const ABSENT: &str = "<!doctype html><meta charset=utf-8><title>pagevec</title>\
<p>This <code>pagevec</code> was built without its explorer. From a checkout, <code>cargo xtask pkg</code> builds what it \
shows, and <code>cargo install --path bindings/cli</code> then includes it. The index itself is served.";

/// Answers what the folder does not have: files of the explorer, and the way to it.
pub(super) async fn explore(request: Request, next: Next) -> Response<Body> {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = next.clone().run(request).await;
    if response.status() != StatusCode::NOT_FOUND || !matches!(method, Method::GET | Method::HEAD) {
        return response;
    }
    if let Some(name) = uri.path().strip_prefix(PREFIX) {
        return file(name).unwrap_or(response);
    }
    let manifest = format!("{}index.json", uri.path()).parse::<Uri>();
    let Some(manifest) = manifest.ok().filter(|_| uri.path().ends_with('/')) else { return response };
    let mut probe = Request::new(Body::empty());
    (*probe.method_mut(), *probe.uri_mut()) = (Method::HEAD, manifest);
    if next.run(probe).await.status() != StatusCode::OK {
        return response;
    }
    let place = format!("{PREFIX}explorer/?index={}", escape(uri.path()));
    let Ok(place) = HeaderValue::from_str(&place) else { return response };
    let mut moved = status(StatusCode::TEMPORARY_REDIRECT);
    moved.headers_mut().insert(header::LOCATION, place);
    moved
}

fn file(name: &str) -> Option<Response<Body>> {
    let name = if name == "explorer/" { PAGE } else { name };
    let (found, bytes) = match FILES.iter().find(|(file, _)| *file == name) {
        Some((_, bytes)) => (StatusCode::OK, *bytes),
        None if name == PAGE => (StatusCode::NOT_IMPLEMENTED, ABSENT.as_bytes()),
        None => return None,
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = found;
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "text/javascript",
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Some(response)
}

/// A path as the value of a parameter. It is escaped already, and comes out of the parameter as it is.
fn escape(path: &str) -> String {
    path.replace('%', "%25").replace('&', "%26").replace('+', "%2B")
}
