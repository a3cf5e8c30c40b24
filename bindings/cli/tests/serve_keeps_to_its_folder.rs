//! No path leads out of the folder that `serve` serves, or to a hidden file in it.

mod support;

use support::{Room, Server, refused};

#[test]
fn no_path_leads_out() {
    let room = Room::new();
    room.write("secret.txt", "secret");
    let site = room.path().join("site");
    std::fs::create_dir_all(site.join(".git")).expect("a folder");
    std::fs::create_dir_all(site.join("sub")).expect("a folder");
    for name in [".git/config", ".env", "sub/.hidden", "index.html"] {
        std::fs::write(site.join(name), "content").expect("a file");
    }
    let server = Server::start(&site, &[]);
    let paths = [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E/secret.txt",
        "/.%2e/secret.txt",
        "/sub/%2e%2e/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "/sub/..\\..\\secret.txt",
        "//../secret.txt",
        "/%00",
        "/.git/config",
        "/%2egit/config",
        "/.env",
        "/sub/.hidden",
    ];
    for path in paths {
        let reply = server.get(path, &[]);
        assert!((400..=404).contains(&reply.status), "{path}: {}", reply.status);
        assert!(reply.body.is_empty(), "{path}");
    }
    assert_eq!(server.get("/", &[]).body, b"content");
    assert_eq!(server.request("POST", "/", &[]).status, 405);
}

#[test]
fn a_folder_must_be_there() {
    let room = Room::new();
    refused(&["serve", &room.join("nowhere")], 2, &["not a folder"]);
    refused(&["serve", &room.join(""), "--cors", "example"], 2, &["--cors"]);
}
