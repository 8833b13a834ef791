//! mosaik's low-level API, by its bytes: what mosaik sends, what a simulator answers, what it asks in return.
#![cfg(feature = "mosaik")]

mod protocol_common;

use std::collections::BTreeMap;
use std::time::Duration;

use net_core::Stream;
use protocol_common::{everywhere, in_memory, on_virtual, read_to_end};
use sim_io::codec::python::Value;
use sim_io::message::{Fault, RequestError};
use sim_io::mosaik::{self, Created, Entity, Inputs, Kind, Meta, Model, Mosaik, Outputs, Requested, Simulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// One packet, as it is on the wire.
fn packet(text: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

async fn send(stream: &mut Stream, text: &str) {
    stream.write_all(&packet(text)).await.unwrap();
}

#[track_caller]
fn told(bytes: &[u8], expected: &str) {
    assert_eq!(String::from_utf8_lossy(bytes), expected);
}

/// Reads as many bytes as are expected, and compares them.
async fn expect(stream: &mut Stream, text: &str) {
    let expected = packet(text);
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.unwrap();
    let mut body = vec![0; u32::from_be_bytes(head) as usize];
    stream.read_exact(&mut body).await.unwrap();
    told(&body, text);
    assert_eq!([&head[..], &body].concat(), expected);
}

/// Adds what comes in; asks mosaik when the input says so.
#[derive(Default)]
struct Adder {
    sums: BTreeMap<String, f64>,
    stopped: bool,
    sid: String,
}

impl Simulator for Adder {
    fn meta(&self) -> Meta {
        let model = Model::new()
            .param("start")
            .attr("sum")
            .trigger("in")
            .non_persistent("flash");
        Meta::new(Kind::Hybrid)
            .model("Adder", model)
            .model("Part", Model::new().hidden().any_inputs())
            .extra_method("double")
            .set_events()
    }

    async fn init(&mut self, sid: &str, resolution: f64, params: BTreeMap<String, Value>) -> Result<(), Fault> {
        if params.contains_key("bad") {
            return Err(Fault::new("ValueError", "bad is bad"));
        }
        self.sid = format!("{sid} {resolution}");
        Ok(())
    }

    async fn create(&mut self, _: &Mosaik, asked: Created) -> Result<Vec<Entity>, Fault> {
        let start = asked.params.get("start").and_then(Value::as_f64).unwrap_or_default();
        let entities = (0..asked.number).map(|n| {
            self.sums.insert(format!("a{n}"), start);
            Entity::new(format!("a{n}"), &asked.model)
                .related_to("x")
                .child(Entity::new(format!("p{n}"), "Part"))
        });
        Ok(entities.collect())
    }

    async fn step(&mut self, mosaik: &Mosaik, time: i64, inputs: Inputs, max: i64) -> Result<Option<i64>, Fault> {
        match time {
            0 => {
                for (eid, sum) in &mut self.sums {
                    *sum += inputs.sum(eid, "in");
                }
                Ok(Some(max))
            }
            1 => {
                let progress = mosaik.get_progress().await?;
                assert_eq!(progress, 12.5);
                let related = mosaik.get_related_entities(Some(&["A.a0"])).await?;
                assert_eq!(related.get("A.a0"), Some(&Value::Dict(Vec::new())));
                let wanted = BTreeMap::from([("B.b".to_owned(), vec!["v".to_owned()])]);
                let data = mosaik.get_data(&wanted).await?;
                assert_eq!(data["B.b"]["v"], Value::from(3));
                let mut given = Outputs::new();
                given.set("B.b", "v", 4);
                mosaik.set_data(&BTreeMap::from([("A.a0".to_owned(), given)])).await?;
                mosaik.set_event(7).await?;
                Ok(None)
            }
            2 => match mosaik.get_progress().await {
                Err(RequestError::Remote(fault)) => Err(fault),
                other => panic!("{other:?}"),
            },
            3 => panic!("no third step"),
            _ => Err(Fault::new("ValueError", "nope").with_traceback("Traceback:\n  line 1\n")),
        }
    }

    async fn get_data(&mut self, _: &Mosaik, asked: Requested) -> Result<Outputs, Fault> {
        let mut outputs = Outputs::new();
        for (eid, attr) in asked.iter() {
            let sum = self.sums.get(eid).copied().unwrap_or(f64::NAN);
            outputs.set(eid, attr, sum);
        }
        outputs.at(5);
        Ok(outputs)
    }

    async fn stop(&mut self) {
        self.stopped = true;
    }

    async fn extra(
        &mut self,
        _: &Mosaik,
        method: &str,
        args: Vec<Value>,
        kwargs: BTreeMap<String, Value>,
    ) -> Result<Value, Fault> {
        assert_eq!(method, "double");
        let factor = kwargs.get("by").and_then(Value::as_i64).unwrap_or(2);
        let number = args.first().and_then(Value::as_i64);
        let number = number.ok_or_else(|| Fault::new("TypeError", "a number"))?;
        Ok(Value::from(number * factor))
    }
}

const INIT: &str = r#"[0, 0, ["init", ["A-0"], {"time_resolution": 1.0}]]"#;
const META: &str = concat!(
    r#"[1, 0, {"api_version": "3.0", "type": "hybrid", "models": {"#,
    r#""Adder": {"public": true, "params": ["start"], "attrs": ["sum", "in", "flash"], "#,
    r#""trigger": ["in"], "non-persistent": ["flash"]}, "#,
    r#""Part": {"public": false, "params": [], "attrs": [], "any_inputs": true}}, "extra_methods": ["double"], "set_events": true}]"#
);

#[test]
fn a_scenario_byte_for_byte() {
    everywhere(|mut mosaik, far| async move {
        let play = async {
            let stream = &mut mosaik;
            send(stream, INIT).await;
            expect(stream, META).await;
            send(stream, r#"[0, 1, ["create", [2, "Adder"], {"start": 1}]]"#).await;
            let child = |n: u8| {
                format!(
                    "{{\"eid\": \"a{n}\", \"type\": \"Adder\", \"rel\": [\"x\"], \
                     \"children\": [{{\"eid\": \"p{n}\", \"type\": \"Part\"}}]}}"
                )
            };
            expect(stream, &format!("[1, 1, [{}, {}]]", child(0), child(1))).await;
            send(stream, r#"[0, 2, ["setup_done", [], {}]]"#).await;
            expect(stream, "[1, 2, null]").await;
            let inputs = r#"{"a0": {"in": {"B.b": 2, "C.c": 0.5}}, "a1": {"in": {"B.b": NaN}}}"#;
            send(stream, &format!(r#"[0, 3, ["step", [0, {inputs}, 60], {{}}]]"#)).await;
            expect(stream, "[1, 3, 60]").await;
            send(stream, r#"[0, 4, ["get_data", [{"a0": ["sum"], "a1": ["sum"]}], {}]]"#).await;
            expect(stream, r#"[1, 4, {"a0": {"sum": 3.5}, "a1": {"sum": NaN}, "time": 5}]"#).await;
            send(stream, r#"[0, 5, ["double", [21], {"by": 2}]]"#).await;
            expect(stream, "[1, 5, 42]").await;
            send(stream, r#"[0, 6, ["stop", [], {}]]"#).await;
            expect(stream, "[1, 6, null]").await;
            told(&read_to_end(stream).await, "");
        };
        let mut adder = Adder::default();
        let (played, ()) = tokio::join!(mosaik::serve(far, mosaik::options(), &mut adder), play);
        assert_eq!(played, Ok(()));
        assert!(adder.stopped);
        assert_eq!(adder.sid, "A-0 1.0".replace(".0", ""));
    });
}

#[test]
fn reverse_calls_byte_for_byte() {
    on_virtual(|mut mosaik, far| async move {
        let play = async {
            let stream = &mut mosaik;
            send(stream, INIT).await;
            expect(stream, META).await;
            send(stream, r#"[0, 1, ["step", [1, {}, 9], {}]]"#).await;
            for (asked, answer) in [
                (r#"[0, 0, ["get_progress", [], {}]]"#, "[1, 0, 12.5]"),
                (
                    r#"[0, 1, ["get_related_entities", [["A.a0"]], {}]]"#,
                    r#"[1, 1, {"A.a0": {}}]"#,
                ),
                (
                    r#"[0, 2, ["get_data", [{"B.b": ["v"]}], {}]]"#,
                    r#"[1, 2, {"B.b": {"v": 3}}]"#,
                ),
                (
                    r#"[0, 3, ["set_data", [{"A.a0": {"B.b": {"v": 4}}}], {}]]"#,
                    "[1, 3, null]",
                ),
                (r#"[0, 4, ["set_event", [7], {}]]"#, "[1, 4, null]"),
            ] {
                expect(stream, asked).await;
                send(stream, answer).await;
            }
            expect(stream, "[1, 1, null]").await;
            // A failure of mosaik's, as API 3 has it, goes back as it came.
            send(stream, r#"[0, 2, ["step", [2, {}, 9], {}]]"#).await;
            expect(stream, r#"[0, 5, ["get_progress", [], {}]]"#).await;
            send(stream, r#"[2, 5, ["KeyError", "'x'", "Traceback", "  line"]]"#).await;
            expect(stream, r#"[2, 2, ["KeyError", "'x'", "Traceback", "  line"]]"#).await;
            mosaik.shutdown().await.unwrap();
        };
        let mut adder = Adder::default();
        let (played, ()) = tokio::join!(mosaik::serve(far, mosaik::options(), &mut adder), play);
        assert_eq!(played, Ok(()));
        assert!(adder.stopped);
    });
}

#[test]
fn failures_are_lists_and_the_simulator_goes_on() {
    in_memory(|mut mosaik, far| async move {
        let play = async {
            let stream = &mut mosaik;
            for (asked, answer) in [
                (
                    r#"[0, 0, ["step", [0, {}, 1], {}]]"#,
                    r#"[2, 0, ["RuntimeError", "`step` before `init`"]]"#,
                ),
                (
                    r#"[0, 1, ["init", ["A"], {"bad": 1}]]"#,
                    r#"[2, 1, ["ValueError", "bad is bad"]]"#,
                ),
                (&INIT.replace("[0, 0", "[0, 2"), &META.replace("[1, 0", "[1, 2")),
                (
                    r#"[0, 3, ["step", [9, {}, 1], {}]]"#,
                    r#"[2, 3, ["ValueError", "nope", "Traceback:", "  line 1"]]"#,
                ),
                (
                    r#"[0, 4, ["step", [3, {}, 1], {}]]"#,
                    r#"[2, 4, ["RuntimeError", "panic: no third step"]]"#,
                ),
                (
                    r#"[0, 5, ["triple", [], {}]]"#,
                    r#"[2, 5, ["AttributeError", "this simulator has no method `triple`"]]"#,
                ),
                (r#"[0, 6, ["setup_done", [], {}]]"#, "[1, 6, null]"),
            ] {
                send(stream, asked).await;
                expect(stream, answer).await;
            }
            // Arguments of other shapes: that call fails, with a reason.
            for (id, bad) in [
                r#"["step", [], {}]"#,
                r#"["step", ["x", {}, 1], {}]"#,
                r#"["create", {}]"#,
                "5",
            ]
            .iter()
            .enumerate()
            {
                send(stream, &format!("[0, {}, {bad}]", 7 + id)).await;
                let mut head = [0; 4];
                stream.read_exact(&mut head).await.unwrap();
                let mut body = vec![0; u32::from_be_bytes(head) as usize];
                stream.read_exact(&mut body).await.unwrap();
                let text = String::from_utf8(body).unwrap();
                assert!(text.starts_with(&format!("[2, {}, [\"TypeError\", ", 7 + id)), "{text}");
            }
            send(stream, r#"[0, 11, ["setup_done", [], {}]]"#).await;
            expect(stream, "[1, 11, null]").await;
            // Without a stop: the connection just ends.
            stream.shutdown().await.unwrap();
        };
        let mut adder = Adder::default();
        let (played, ()) = tokio::join!(mosaik::serve(far, mosaik::options(), &mut adder), play);
        assert_eq!(played, Ok(()));
        assert!(adder.stopped);
    });
}

#[test]
fn a_broken_message_and_a_lost_mosaik_end_the_simulator_with_an_error() {
    in_memory(|mut mosaik, far| async move {
        send(&mut mosaik, "[7, 0, 0]").await;
        let mut adder = Adder::default();
        let error = mosaik::serve(far, mosaik::options(), &mut adder).await.unwrap_err();
        assert!(matches!(error, sim_io::message::ChannelError::Protocol(_)), "{error:?}");
        assert!(adder.stopped);
    });
    on_virtual(|mosaik, far| async move {
        let net = far.net();
        let lost = async {
            net.sleep(Duration::from_millis(10)).await;
            mosaik.reset();
        };
        let mut adder = Adder::default();
        let (played, ()) = tokio::join!(mosaik::serve(far, mosaik::options(), &mut adder), lost);
        assert!(
            matches!(played, Err(sim_io::message::ChannelError::Net(_))),
            "{played:?}"
        );
        assert!(adder.stopped);
    });
}
