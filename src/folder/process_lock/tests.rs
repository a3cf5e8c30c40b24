use super::holder::Holder;
use super::*;

fn holder(more: impl FnOnce(&mut Holder)) -> String {
    let mut holder = Holder::own();
    holder.token = "0".repeat(32);
    more(&mut holder);
    holder.line()
}

/// Writes the file as if that was so many seconds ago.
fn left(folder: &Path, name: &str, line: &str, seconds: u64) {
    fs::write(folder.join(name), line).unwrap();
    let file = OpenOptions::new().write(true).open(folder.join(name)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != ".lock").collect()
}

#[test]
fn it_says_who_holds_it_and_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let first = take(folder.path()).unwrap();
    let line = fs::read_to_string(folder.path().join(NAME)).unwrap();
    let told = Holder::parse(&line).unwrap();
    assert_eq!((told.pid, told.token.len()), (std::process::id(), 32));
    let refused = take(folder.path()).err().unwrap();
    assert_eq!(refused.code(), "locked");
    assert!(refused.to_string().contains(&format!("process {} ", std::process::id())), "{refused}");
    drop(first);
    assert_eq!(names(folder.path()), Vec::<String>::new());
    drop(take(folder.path()).unwrap());
}

#[test]
fn a_holder_that_has_gone_is_replaced_and_another_is_not() {
    let none = |holder: &mut Holder| holder.pid = (1 << 22) + 1;
    let again = |holder: &mut Holder| holder.start = "00000000/1".to_owned();
    let elsewhere = |holder: &mut Holder| holder.host = "another-machine/1".to_owned();
    let cases = [
        ("a process that is not there", holder(none), 0, true),
        ("a number that another process has by now", holder(again), 0, true),
        ("this process, however old its heartbeat", holder(|_| {}), 1000, false),
        ("another machine, a moment ago", holder(elsewhere), 50, false),
        ("another machine, long ago", holder(elsewhere), 70, true),
        ("half a line, long ago", "{\"pid\":".to_owned(), 3, true),
    ];
    for (what, line, seconds, free) in cases {
        let folder = tempfile::tempdir().unwrap();
        left(folder.path(), NAME, &line, seconds);
        let taken = take(folder.path());
        assert_eq!(taken.is_ok(), free, "{what}");
        if !free {
            assert_eq!(fs::read_to_string(folder.path().join(NAME)).unwrap(), line, "{what}");
        }
    }
}

/// Another program may be about to write the rest, or was killed before it did.
#[test]
fn half_a_line_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    left(folder.path(), NAME, "{\"pid\":", 0);
    let started = Instant::now();
    assert!(matches!(attempt(folder.path()), Ok(Found::Nobody)));
    assert_eq!(names(folder.path()), [NAME]);
    drop(take(folder.path()).unwrap());
    assert!(started.elapsed() > TORN, "{:?}", started.elapsed());
}

#[test]
fn who_died_while_breaking_a_lock_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let gone = holder(|holder| holder.pid = (1 << 22) + 1);
    left(folder.path(), NAME, &gone, 0);
    left(folder.path(), BREAK, "", 11);
    drop(take(folder.path()).unwrap());
    assert_eq!(names(folder.path()), Vec::<String>::new());
    left(folder.path(), NAME, &gone, 0);
    left(folder.path(), BREAK, "", 0);
    assert!(take(folder.path()).is_err(), "another program breaks it now");
}

#[test]
fn who_has_lost_the_lock_leaves_that_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let held = take(folder.path()).unwrap();
    let other = holder(|_| {});
    left(folder.path(), NAME, &other, 0);
    drop(held);
    assert_eq!(fs::read_to_string(folder.path().join(NAME)).unwrap(), other);
}

#[test]
fn a_holder_says_that_it_is_alive() {
    let folder = tempfile::tempdir().unwrap();
    let _held = take(folder.path()).unwrap();
    let line = fs::read_to_string(folder.path().join(NAME)).unwrap();
    left(folder.path(), NAME, &line, 1000);
    let started = Instant::now();
    while age(&folder.path().join(NAME))() > Duration::from_secs(100) {
        assert!(started.elapsed() < Duration::from_secs(20), "no heartbeat");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn threads_that_race_for_it_have_one_winner() {
    for round in 0..50 {
        let folder = tempfile::tempdir().unwrap();
        if round % 2 == 1 {
            left(folder.path(), NAME, &holder(|holder| holder.pid = (1 << 22) + 1), 0);
        }
        let won = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..4).map(|_| scope.spawn(|| take(folder.path()))).collect();
            // All results are kept until the last has come, so that none is released before.
            let results: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
            results.iter().filter(|result| result.is_ok()).count()
        });
        assert_eq!(won, 1, "round {round}");
    }
}
