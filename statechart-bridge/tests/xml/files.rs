//! Classes in files of their own.

use std::fs;

use statechart_bridge::Document;

#[test]
fn classes_in_files_of_their_own() {
    let folder = std::env::temp_dir().join(format!("statechart-bridge-{}", std::process::id()));
    fs::create_dir_all(folder.join("parts")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("main.xml", "<diagram><class name=\"C\" src=\"parts/c.xml\"/></diagram>");
    write(
        "parts/c.xml",
        "<class name=\"C\"><scxml><state id=\"a\"><onentry>\n<script>nope</script></onentry></state></scxml></class>",
    );
    let error = Document::open(folder.join("main.xml")).unwrap_err().to_string();
    assert!(error.contains("c.xml:2:9: "), "{error}");
    write("parts/c.xml", "<class name=\"C\"/>");
    Document::open(folder.join("main.xml")).unwrap();

    let refused = |text: &str| {
        write("main.xml", text);
        Document::open(folder.join("main.xml")).unwrap_err().to_string()
    };
    for src in ["../c.xml", "/etc/passwd", "parts/../../c.xml"] {
        let error = refused(&format!("<diagram><class name=\"C\" src=\"{src}\"/></diagram>"));
        assert!(error.contains("expected a path inside the diagram's folder"), "{error}");
    }
    assert!(refused("<diagram><class src=\"nope.xml\"/></diagram>").contains("can't be opened"));
    write("parts/c.xml", "<class src=\"parts/c.xml\"/>");
    assert!(refused("<diagram><class src=\"parts/c.xml\"/></diagram>").contains("the file includes itself"));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_may_name_another_and_several_may_name_the_same() {
    let folder = std::env::temp_dir().join(format!("statechart-bridge-nested-{}", std::process::id()));
    fs::create_dir_all(folder.join("lib")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    // All paths are seen from the diagram.
    write(
        "main.xml",
        "<diagram><class default=\"true\" src=\"./lib/a.xml\"/><class name=\"B\" src=\"lib/b.xml\"/></diagram>",
    );
    write("lib/a.xml", "<class src=\"lib/real_a.xml\"/>");
    write(
        "lib/real_a.xml",
        "<class name=\"A\"><relationships><inheritance class=\"B\"/></relationships></class>",
    );
    write("lib/b.xml", "<class name=\"B\"/>");
    let document = Document::open(folder.join("main.xml")).unwrap();
    assert_eq!(&**document.model().default_class(), "A");

    let refused = |main: &str| {
        write("main.xml", main);
        Document::open(folder.join("main.xml")).unwrap_err().to_string()
    };
    write("lib/a.xml", "<class src=\"lib/c.xml\"/>");
    write("lib/c.xml", "<class src=\"lib/a.xml\"/>");
    let circle = refused("<diagram>\n<class src=\"lib/a.xml\"/></diagram>");
    assert!(
        circle.contains("c.xml:1:13: src `lib/a.xml`: the file includes itself"),
        "{circle}"
    );
    let itself = refused("<diagram>\n<class src=\"main.xml\"/></diagram>");
    assert!(
        itself.contains("main.xml:2:13: src `main.xml`: the file includes itself"),
        "{itself}"
    );
    let other = refused("<diagram>\n<class name=\"X\" src=\"lib/b.xml\"/></diagram>");
    assert!(other.contains("class `X` is called `B` in "), "{other}");
    let more = refused("<diagram>\n<class src=\"lib/b.xml\"><attribute name=\"x\"/></class></diagram>");
    assert!(more.contains("element `attribute` in `class` is unknown"), "{more}");
    write("lib/b.xml", "\n<klass/>");
    let root = refused("<diagram>\n<class src=\"lib/b.xml\"/></diagram>");
    assert!(
        root.contains("b.xml:2:1: element `klass` is unknown: expected class"),
        "{root}"
    );
    let missing = refused("<diagram>\n<class src=\"lib/none.xml\"/></diagram>");
    assert!(
        missing.contains("main.xml:2:13: src `lib/none.xml`: can't be opened"),
        "{missing}"
    );
    fs::remove_dir_all(folder).unwrap();
}
