//! The models of the crate: they load without a warning, and their tests pass.
#![cfg(feature = "xml")]

use std::path::PathBuf;

use statechart_bridge::Document;

fn models() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "xml" || extension == "scxml")
        })
        .collect();
    files.sort();
    files
}

#[test]
fn all_models_load_and_pass_their_tests() {
    let mut tests = 0;
    for file in models() {
        let document = Document::open(&file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(document.model().warnings(), [], "{}", file.display());
        for report in document.run_tests() {
            assert!(report.passed(), "{report}\n{:#?}", report.log);
            tests += 1;
        }
    }
    assert!(tests >= 4, "{tests} tests");
}
