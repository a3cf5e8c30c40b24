//! Help is where people look first: each command shows calls to copy, and a mistyped flag is told its near name.

mod support;

use support::{json, refused, run};

#[test]
fn every_command_shows_examples() {
    let text = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).expect("help is text")
    };
    let all = text(&["--help"]);
    let commands = listed(&all);
    let expected = [
        "build",
        "plan",
        "merge",
        "search",
        "count",
        "facets",
        "list",
        "eval",
        "inspect",
        "stats",
        "verify",
        "collection",
        "serve",
    ];
    assert_eq!(commands, expected);
    for help in ["-h", "--help"] {
        for command in &commands {
            let shown = text(&[command, help]);
            let (_, examples) = shown.split_once("Examples:\n").expect(command);
            assert!(examples.starts_with(&format!("  pagevec {command} ")), "{command} {help}: {examples}");
        }
    }
    assert!(all.contains("Examples:\n  pagevec build "));
    let all = text(&["collection", "--help"]);
    let commands = listed(&all);
    assert_eq!(commands.len(), 17, "{commands:?}");
    for command in commands {
        let shown = text(&["collection", command, "--help"]);
        assert!(shown.contains(&format!("Examples:\n  pagevec collection {command} ")), "{command}");
    }
}

/// The names of the commands that a help text lists.
fn listed(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

#[test]
fn a_near_name_is_suggested() {
    refused(&["build", "x.npy", "-o", "y", "--metrics", "l2"], 2, &["--metrics", "--metric"]);
    refused(&["search", "x", "--id", "1", "--rescored", "9"], 2, &["similar argument", "'--rescore'"]);
    refused(&["serach", "x"], 2, &["similar subcommand", "'search'"]);
    let output = run(&["search", "x", "--id", "1", "--memory-budgets", "9", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let message = told["error"]["message"].as_str().expect("a message");
    assert!(message.contains("'--memory-budget'") && !message.contains("Usage"), "{message}");
}

#[test]
fn a_metric_has_the_names_that_other_tools_give_it() {
    let room = support::Room::new();
    let (vectors, out) = (room.vectors(), room.join("out"));
    let built = |metric: &str| {
        json(&["build", &vectors, "-o", &out, "--metric", metric, "--json"])["content_id"].clone()
    };
    for (name, others) in [("dot", ["ip", "IP", "Dot"]), ("l2", ["L2", "euclidean", "Euclidean"])] {
        let own = built(name);
        others.iter().for_each(|other| assert_eq!(built(other), own, "{other}"));
    }
    assert_eq!(built("Cosine"), built("cosine"));
    refused(
        &["build", &vectors, "-o", &out, "--metric", "hamming"],
        2,
        &["hamming", "use cosine, dot or l2"],
    );
}
