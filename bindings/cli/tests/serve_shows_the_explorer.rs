//! `/` of an index leads to the explorer, which has all that it loads; a folder's own files come before it; and without a
//! `--port`, one that is taken is passed over.

mod support;

use std::net::TcpListener;
use support::{Room, Server};

#[test]
fn an_index_leads_to_the_explorer_and_a_page_of_its_own_comes_first() {
    let room = Room::new();
    for folder in ["words & more", "site"] {
        std::fs::create_dir(room.path().join(folder)).expect("a folder");
        room.write(&format!("{folder}/index.json"), "{}");
    }
    room.write("site/index.html", "<p>mine");
    let server = Server::start(room.path(), &[]);

    let moved = server.get("/words%20&%20more/", &[]);
    assert_eq!(moved.status, 307);
    assert_eq!(moved.header("location"), "/_pagevec/explorer/?index=/words%2520%26%2520more/");
    assert!(server.get("/site/", &[]).body.ends_with(b"<p>mine"));
    for path in ["/", "/site/none/", "/words%20&%20more/none", "/_pagevec/none", "/_pagevec/explorer"] {
        assert_eq!(server.get(path, &[]).status, 404, "{path}");
    }
}

#[test]
fn the_explorer_has_all_that_it_loads_or_says_what_to_build() {
    let room = Room::new();
    let server = Server::start(room.path(), &[]);
    let page = server.get("/_pagevec/explorer/", &[]);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let text = String::from_utf8(page.body.clone()).expect("text");
    if page.status == 501 {
        // The native tests may run before the package was built.
        assert!(text.contains("cargo xtask pkg"), "{text}");
        return;
    }
    assert_eq!(page.status, 200);
    assert!(text.contains("./main.js"));
    let kinds = [
        ("explorer/main.js", "text/javascript"),
        ("explorer/style.css", "text/css"),
        ("explorer/favicon.svg", "image/svg+xml"),
        ("dist/browser.js", "text/javascript"),
        ("wasm/search/pagevec_wasm_bg.wasm", "application/wasm"),
    ];
    for (name, kind) in kinds {
        let file = server.get(&format!("/_pagevec/{name}"), &[]);
        assert_eq!((file.status, file.header("content-type")), (200, kind), "{name}");
        assert!(file.body.len() > 100, "{name}");
    }
}

#[test]
fn a_port_that_is_taken_is_passed_over_unless_it_was_asked_for() {
    let room = Room::new();
    // Another program may have the port already, which is as good.
    let _taken = TcpListener::bind(("127.0.0.1", 8787));
    let server = Server::start_as_told(room.path(), &[]);
    assert_ne!(server.port(), 8787);
    let taken = server.port().to_string();
    let folder = room.path().to_str().expect("UTF-8");
    let refused = support::run(&["serve", folder, "--port", &taken]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains(&taken));
}
