//! The controller's model: the tests that stand in its file.

use statechart_bridge::Document;

#[test]
fn the_controllers_own_tests_pass() {
    let document = Document::open(concat!(env!("CARGO_MANIFEST_DIR"), "/models/line_controller.xml")).unwrap();
    let reports = document.run_tests();
    assert!(!reports.is_empty());
    for report in &reports {
        assert!(report.passed(), "{report:?}");
    }
}
