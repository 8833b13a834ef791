//! Headers: the text of logs, the bytes of the wire, what answers what.

use hsms::{DeselectStatus, Header, Message, RejectReason, SType, SelectStatus, StreamFunction};

/// The lines that the original's transcripts show, with the bytes that make them.
#[test]
fn the_text_is_that_of_the_transcripts() {
    let rejected = Header::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let reject = |reason| Message::header_only(Header::reject_req(&rejected, reason)).to_string();
    assert_eq!(
        reject(RejectReason::NotSelected),
        "header: {session_id:0x0000, stream:00, function:04, p_type:0x00, s_type:0x07, system:0x00000000, require_response:0}"
    );
    assert_eq!(
        reject(RejectReason::STypeNotSupported),
        "header: {session_id:0x0000, stream:00, function:01, p_type:0x00, s_type:0x07, system:0x00000000, require_response:0}"
    );
    assert_eq!(
        reject(RejectReason::TransactionNotOpen),
        "header: {session_id:0x0000, stream:00, function:03, p_type:0x00, s_type:0x07, system:0x00000000, require_response:0}"
    );
    assert_eq!(
        Header::select_req(Header::CONTROL, 1).to_string(),
        "{session_id:0xffff, stream:00, function:00, p_type:0x00, s_type:0x01, system:0x00000001, require_response:0}"
    );
    assert_eq!(
        Header::data(0x7FFF, StreamFunction::new(127, 255), true, 0xDEAD_BEEF).to_string(),
        "{session_id:0x7fff, stream:127, function:255, p_type:0x00, s_type:0x00, system:0xdeadbeef, require_response:1}"
    );
}

#[test]
fn each_message_has_its_bytes() {
    let session = 0x0102;
    let s1f1 = Header::data(session, StreamFunction::new(1, 1), true, 0x0304_0506);
    assert_eq!(s1f1.to_bytes(), [1, 2, 0x81, 1, 0, 0, 3, 4, 5, 6]);
    assert_eq!(s1f1.secondary().to_bytes(), [1, 2, 1, 2, 0, 0, 3, 4, 5, 6]);
    assert_eq!(s1f1.abort().to_bytes(), [1, 2, 1, 0, 0, 0, 3, 4, 5, 6]);

    let select = Header::select_req(Header::CONTROL, 7);
    assert_eq!(select.to_bytes(), [0xFF, 0xFF, 0, 0, 0, 1, 0, 0, 0, 7]);
    let answer = Header::select_rsp(&select, SelectStatus::Exhausted);
    assert_eq!(answer.to_bytes(), [0xFF, 0xFF, 0, 3, 0, 2, 0, 0, 0, 7]);

    let deselect = Header::deselect_req(5, 8);
    assert_eq!(deselect.to_bytes(), [0, 5, 0, 0, 0, 3, 0, 0, 0, 8]);
    let answer = Header::deselect_rsp(&deselect, DeselectStatus::Busy);
    assert_eq!(answer.to_bytes(), [0, 5, 0, 2, 0, 4, 0, 0, 0, 8]);

    let linktest = Header::linktest_req(2);
    assert_eq!(linktest.to_bytes(), [0xFF, 0xFF, 0, 0, 0, 5, 0, 0, 0, 2]);
    assert_eq!(
        Header::linktest_rsp(&linktest).to_bytes(),
        [0xFF, 0xFF, 0, 0, 0, 6, 0, 0, 0, 2]
    );
    assert_eq!(Header::separate_req(5, 9).to_bytes(), [0, 5, 0, 0, 0, 9, 0, 0, 0, 9]);
}

/// A reject quotes the session id and system bytes of what it rejects, and the type that was wrong.
#[test]
fn d08_a_reject_quotes_what_it_rejects() {
    let strange = Header::from_bytes([0, 5, 0x81, 1, 3, 12, 1, 2, 3, 4]);
    let by_type = Header::reject_req(&strange, RejectReason::STypeNotSupported);
    assert_eq!(by_type.to_bytes(), [0, 5, 12, 1, 0, 7, 1, 2, 3, 4]);
    let by_presentation = Header::reject_req(&strange, RejectReason::PTypeNotSupported);
    assert_eq!(by_presentation.to_bytes(), [0, 5, 3, 2, 0, 7, 1, 2, 3, 4]);
    assert_eq!(by_presentation.reject_reason(), RejectReason::PTypeNotSupported);
}

#[test]
fn every_byte_is_a_code_and_comes_back() {
    for byte in 0..=255u8 {
        assert_eq!(u8::from(SType::from(byte)), byte);
        assert_eq!(u8::from(SelectStatus::from(byte)), byte);
        assert_eq!(u8::from(DeselectStatus::from(byte)), byte);
        assert_eq!(u8::from(RejectReason::from(byte)), byte);
    }
    assert_eq!(SType::from(8), SType::Other(8));
    assert_eq!(SType::SelectReq.to_string(), "Select.req");
    assert_eq!(SType::Other(12).to_string(), "SType 12");
}

#[test]
fn a_primary_is_odd_or_asks() {
    let data = |function, w| Header::data(0, StreamFunction::new(6, function), w, 1);
    assert!(data(11, false).is_primary());
    assert!(data(12, true).is_primary());
    assert!(!data(12, false).is_primary());
    assert!(!data(0, false).is_primary());
    assert!(!Header::linktest_req(1).is_primary());
    assert_eq!(data(255, true).secondary().function(), 0);
}

#[test]
fn parts_can_be_changed() {
    let header = Header::data(1, StreamFunction::new(1, 1), true, 1);
    let changed = header.with_system(0x0A0B_0C0D).with_session_id(0x7FFE);
    assert_eq!((changed.system(), changed.session_id()), (0x0A0B_0C0D, 0x7FFE));
    assert_eq!(changed.stream_function(), header.stream_function());
}

#[test]
fn a_stream_and_function_is_read_and_written() {
    for (text, stream, function) in [("S1F1", 1, 1), ("s6f11", 6, 11), ("S127F255", 127, 255), ("S0F0", 0, 0)] {
        let about: StreamFunction = text.parse().unwrap();
        assert_eq!((about.stream(), about.function()), (stream, function));
        assert_eq!(about.to_string(), text.to_uppercase());
    }
    for text in [
        "", "S", "SF", "S1", "S1F", "SF1", "S128F1", "S1F256", "S+1F1", "S1F1 ", "F1S1", "S1F1F1",
    ] {
        let error = text.parse::<StreamFunction>().unwrap_err().to_string();
        assert!(error.contains(&format!("`{text}`")), "{error}");
    }
    assert_eq!(StreamFunction::try_new(128, 0), None);
}
