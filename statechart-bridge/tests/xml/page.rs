//! The page about the language: its model is one, and its test passes.

use statechart_bridge::Document;

const PAGE: &str = include_str!("../../XML.md");

#[test]
fn the_model_of_the_page_passes_its_test() {
    let (_, rest) = PAGE.split_once("```xml\n").expect("there is a model");
    let (model, _) = rest.split_once("```").expect("it ends");
    let document = Document::parse("doorbell.xml", model).expect("it is one");
    assert_eq!(document.model().warnings(), []);
    let reports = document.run_tests();
    assert_eq!(reports.len(), 1);
    for report in reports {
        assert!(report.passed(), "{report}");
    }
}

#[test]
fn the_page_names_each_element_that_is_expected_somewhere() {
    let wrong = [
        "<diagram><oops/></diagram>",
        "<diagram><class name='C'><oops/></class></diagram>",
        "<diagram><class name='C'><relationships><oops/></relationships></class></diagram>",
        "<diagram><class name='C'><constructor><oops/></constructor></class></diagram>",
        "<diagram><class name='C'><scxml><oops/></scxml></class></diagram>",
        "<diagram><class name='C'><scxml><state id='s'><oops/></state></scxml></class></diagram>",
        "<diagram><class name='C'><scxml><state id='s'><onentry><oops/></onentry></state></scxml></class></diagram>",
        "<diagram><class name='C'><scxml><state id='s'><transition target='.'><oops/></transition></state></scxml></class></diagram>",
        "<diagram><test><oops/></test></diagram>",
    ];
    for model in wrong {
        let error = Document::parse("wrong.xml", model).unwrap_err().to_string();
        let (_, expected) = error.split_once("is unknown: expected ").expect(&error);
        for name in expected.lines().next().unwrap_or_default().split([',', ' ']) {
            let named = PAGE.contains(&format!("`{name}`"));
            assert!(named || matches!(name, "" | "or" | "one" | "of"), "{name}: {error}");
        }
    }
}
