//! Whichever operation of a publication fails, it returns an error that names a file, a reader finds the old index or
//! the new one, nothing new is left beside the old one, and the next publication succeeds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "support/publications.rs"]
mod publications;
mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use publications::{FOLDER, Found, Scenario, allowed, found, scenarios, temporaries};
use support::data::Random;
use support::disk::state::{LOSSES, Loss, State};
use support::disk::{Disk, Fault};

#[test]
fn an_operation_that_fails_leaves_the_old_index_or_the_new_one() {
    let mut failed = 0;
    for scenario in scenarios() {
        for fault in [Fault::Io, Fault::Gone, Fault::Full, Fault::Short] {
            let clean = Disk::of(&scenario.start);
            scenario.new.publish(&clean).unwrap();
            for number in 0..clean.operations().len() {
                let disk = Disk::of(&scenario.start).fail(number, fault);
                let told = || format!("{}: {:#?}", scenario.name, disk.operations());
                if let Err(error) = scenario.new.publish(&disk) {
                    failed += 1;
                    assert_eq!(error.code(), "io", "{}", told());
                    assert!(!error.to_string().contains(".tmp"), "{error}");
                    let bad = violation_after_an_error(&scenario, &disk, fault);
                    assert!(bad.is_none(), "{}", bad.unwrap_or_default());
                }
                // What a disk that is gone could not remove is removed by the next publication.
                let left = temporaries(&disk.state()).len();
                assert!(left == 0 || fault == Fault::Gone && left == 1, "{}", told());
                // Without the fault it succeeds, and lasts.
                let again = Disk::of(&disk.state());
                scenario.new.publish(&again).unwrap();
                let told = || format!("{}, again {:#?}", told(), again.operations());
                assert_eq!(temporaries(&again.state()), BTreeSet::new(), "{}", told());
                let state = again.state().crash(Loss::Everything, &mut Random(0));
                assert_eq!(found(&state, &scenario, &mut Random(0)), Ok(Found::New), "{}", told());
            }
        }
    }
    assert!(failed > 500, "only {failed} operations failed");
}

/// After an error a reader finds the old index, and nothing new lies in the folder; or the new index, if its manifest
/// has its name.
fn violation_after_an_error(scenario: &Scenario, disk: &Disk, fault: Fault) -> Option<String> {
    let state = disk.state();
    let names = |state: &State| -> Vec<PathBuf> {
        let all = state.all().into_keys();
        all.filter(|path| path.starts_with(FOLDER) && *path != Path::new(FOLDER)).collect()
    };
    let told = |what: String| Some(format!("{}: {what}: {:#?}", scenario.name, disk.operations()));
    match found(&state, scenario, &mut Random(1)) {
        Ok(Found::New) => {}
        Ok(which) if !allowed(scenario, false).contains(&which) => return told(format!("{which:?}")),
        // A file of a middle order may name what is new.
        Ok(_) if scenario.new.content_ids.is_empty() || fault == Fault::Gone => {}
        Ok(_) if names(&state) != names(&scenario.start) => {
            return told(format!("{:?} are left", names(&state)));
        }
        Ok(_) => {}
        Err(what) => return told(what),
    }
    let seed = disk.operations().len() as u64;
    for loss in LOSSES {
        let image = state.crash(loss, &mut Random(seed));
        match found(&image, scenario, &mut Random(seed)) {
            Ok(which) if allowed(scenario, false).contains(&which) => {}
            bad => return told(format!("{loss:?}, seed {seed}: {bad:?}")),
        }
    }
    None
}
