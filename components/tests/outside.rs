//! Handles, services, threads, byte streams and boxes made at run time.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::system;
use components::{
    BoxOptions, ByteStream, Context, Delivery, EndReason, Failure, Inbox, Net, Outbox, Pipeline, ServiceError, System,
    Unsent, for_each, from_fn, link, map, threaded,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test(start_paused = true)]
async fn a_handle_puts_and_gets_without_polling() {
    let system = system();
    let mut handle = system.activate_with_handle(map(|n: u32| n + 1)).unwrap();
    let before = system.net().now();
    for n in 0..10_000 {
        handle.put(n).await.unwrap();
        assert_eq!(handle.get().await, Some(n + 1));
    }
    assert_eq!(system.net().now(), before);
    handle.component.finish();
    assert_eq!(handle.get().await, None);
    assert!(handle.signal.recv().await.unwrap().is_finished());
    assert_ne!(handle.put(1).await.unwrap(), Delivery::Delivered);
}

#[tokio::test(start_paused = true)]
async fn services_are_found_by_name_and_type() {
    let system = system();
    let services = system.services();
    let mut inbox = Inbox::<u32>::new();
    services.register("adder", &inbox).unwrap();
    assert_eq!(
        services.register("adder", &inbox),
        Err(ServiceError::ServiceAlreadyExists("adder".into()))
    );
    services.retrieve::<u32>("adder").unwrap().outbox().try_send(5).unwrap();
    assert_eq!(inbox.try_recv(), Some(5));
    assert!(matches!(
        services.retrieve::<u64>("adder"),
        Err(ServiceError::WrongType { .. })
    ));
    let error = services.retrieve::<u32>("subber").unwrap_err();
    assert_eq!(error.to_string(), r#"there is no service "subber"; there is adder"#);
    services.deregister("adder").unwrap();
    assert!(matches!(
        services.deregister("adder"),
        Err(ServiceError::MultipleServiceDeletion(_))
    ));
    // One whose inbox is gone makes room for another.
    services.register("adder", &Inbox::<u32>::new()).unwrap();
    assert_eq!(services.registered(), Vec::<String>::new());
    services.register("adder", &inbox).unwrap();
}

#[test]
fn values_are_tracked_once_and_then_updated() {
    let system = System::new(&Net::os());
    let services = system.services();
    assert!(matches!(
        services.update_value("limit", 1_u32),
        Err(ServiceError::AccessToUndeclaredTrackedVariable(_))
    ));
    services.track_value("limit", 1_u32).unwrap();
    assert!(matches!(
        services.track_value("limit", 2_u32),
        Err(ServiceError::NamespaceClash(_))
    ));
    services.update_value("limit", 3_u32).unwrap();
    assert_eq!(*services.retrieve_value::<u32>("limit").unwrap(), 3);
    assert!(services.retrieve_value::<String>("limit").is_err());
    assert_eq!(services.values(), ["limit"]);
    services.clear();
    assert!(services.values().is_empty());
}

#[tokio::test]
async fn a_thread_blocks_on_boxes_and_what_it_sent_is_there() {
    let upper = threaded(
        "Upper",
        |mut inbox: Inbox<String>, mut outbox: Outbox<String>, _: Context| {
            while let Some(line) = inbox.recv_blocking() {
                outbox.send_blocking(line.to_uppercase())?;
            }
            outbox.send_blocking("END".to_owned())?;
            Ok(())
        },
    );
    let mut handle = system().activate_with_handle(upper).unwrap();
    let reader = async {
        let mut all = Vec::new();
        while let Some(line) = handle.outbox.recv().await {
            all.push(line);
        }
        all
    };
    let writer = async {
        for n in 0..2000 {
            handle.inbox.send(format!("a{n}")).await.unwrap();
        }
        handle.component.finish();
    };
    let (all, ()) = tokio::join!(reader, writer);
    assert_eq!(all.len(), 2001);
    assert_eq!(
        (all[0].as_str(), all[1999].as_str(), all[2000].as_str()),
        ("A0", "A1999", "END")
    );
}

#[tokio::test]
async fn a_thread_that_waits_is_told_to_stop() {
    // One waits for a message, one for room, one for time.
    let system = system();
    let waits = threaded("Waits", |mut inbox: Inbox<u8>, _: Outbox<u8>, _: Context| {
        assert_eq!(inbox.recv_blocking(), None);
        Ok(())
    });
    let full = threaded("Full", |_: Inbox<u8>, mut outbox: Outbox<u8>, _: Context| {
        outbox.send_blocking(1)?;
        let refused = outbox.send_blocking(2).unwrap_err();
        assert_eq!(refused.reason(), Unsent::Stopped);
        Err(refused.into())
    });
    let inbox = Inbox::with_capacity(1);
    link(components::HasOutbox::outbox(&full), &inbox).unwrap();
    let sleeps = threaded("Sleeps", |_: Inbox<u8>, _: Outbox<u8>, context: Context| {
        context.sleep_blocking(Duration::from_secs(3600))?;
        Err(Failure::new("slept"))
    });
    let all = [
        system.activate(waits).unwrap(),
        system.activate(full).unwrap(),
        system.activate(sleeps).unwrap(),
    ];
    for active in all {
        active.stop();
        let end = active.await;
        assert!(matches!(end.reason, EndReason::Stopped), "{end}");
    }
}

#[tokio::test]
async fn a_thread_that_panics_fails_alone() {
    let panics = threaded("Panics", |_: Inbox<u8>, _: Outbox<u8>, _: Context| panic!("on purpose"));
    let end = system().activate(panics).unwrap().await;
    assert!(end.reason.to_string().contains("on purpose"), "{end}");
}

#[tokio::test(start_paused = true)]
async fn boxes_of_bytes_are_a_byte_stream() {
    let (mut source, inbox) = (Outbox::new(), Inbox::new());
    let (outbox, mut sink) = (Outbox::new(), Inbox::<Bytes>::with_capacity(2));
    link(&source, &inbox).unwrap();
    link(&outbox, &sink).unwrap();
    for part in ["hello ", "", "world"] {
        source.try_send(Bytes::from_static(part.as_bytes())).unwrap();
    }
    drop(source);
    let mut stream = ByteStream::new(inbox, outbox);
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "hello world");
    let data = vec![7; 300_000];
    let writer = async {
        stream.write_all(&data).await.unwrap();
        stream.shutdown().await.unwrap();
    };
    let reader = async {
        let mut sum = 0;
        while let Some(part) = sink.recv().await {
            assert!(part.len() <= 64 * 1024);
            sum += part.len();
        }
        sum
    };
    let ((), sum) = tokio::join!(writer, reader);
    assert_eq!(sum, data.len());
}

#[tokio::test(start_paused = true)]
async fn boxes_are_added_at_run_time_under_a_name_that_is_free() {
    let system = system();
    let adaptive = from_fn(
        "Adaptive",
        |_: Inbox<u8>, mut outbox: Outbox<String>, context: Context| async move {
            let one = context.add_inbox::<u8>("extra", BoxOptions::new());
            let two = context.add_inbox::<u8>("extra", BoxOptions::new());
            let out = context.add_outbox::<u8>("extra");
            link(&out, &two)?;
            let mut out = out;
            out.send(1).await?;
            for name in [one.name(), two.name(), out.name()] {
                outbox.send(name.into_owned()).await?;
            }
            let view = context.system().snapshot();
            let own = view.component(context.name()).map_or(0, |view| view.boxes.len());
            outbox.send(own.to_string()).await?;
            outbox.send(context.delete_inbox(two).to_string()).await?;
            outbox.send(out.is_linked().to_string()).await?;
            Ok(())
        },
    );
    let mut handle = system.activate_with_handle(adaptive).unwrap();
    let mut all = Vec::new();
    while let Some(text) = handle.get().await {
        all.push(text);
    }
    assert_eq!(all, ["extra", "extra1", "extra", "7", "1", "false"]);
}

#[tokio::test(start_paused = true)]
async fn running_components_are_linked_by_name() {
    let system = system();
    let source = from_fn(
        "Source",
        |_: Inbox<u8>, mut outbox: Outbox<u8>, context: Context| async move {
            context.sleep(Duration::from_secs(1)).await?;
            outbox.send(7).await?;
            Ok(())
        },
    );
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let mut sender = Some(sender);
    let sink = for_each(move |n: u8| {
        if let Some(sender) = sender.take() {
            sender.send(n).unwrap();
        }
    });
    let source = system.activate(source).unwrap();
    let sink = system.activate(Pipeline::new(sink)).unwrap();
    let error = system.link("Source_1.outbox", "Pipeline_2.in").unwrap_err();
    assert!(error.to_string().contains("it has inbox inbox: u8"), "{error}");
    let error = system.link("Source_9.outbox", "Pipeline_2.inbox").unwrap_err();
    assert!(error.to_string().contains("there is Source_1, Pipeline_2"), "{error}");
    assert!(system.link("Source_1.signal", "Pipeline_2.inbox").is_err());
    system.link("Source_1.outbox", "Pipeline_2.inbox").unwrap();
    assert_eq!(receiver.await.unwrap(), 7);
    source.await;
    assert_eq!(system.unlink("Pipeline_2.inbox"), Ok(true));
    sink.stop();
}

#[tokio::test]
async fn d18_a_thread_that_has_done_its_work_has_finished_and_is_no_stop() {
    for _ in 0..50 {
        let numbers = threaded("Numbers", |_: Inbox<()>, mut outbox: Outbox<u32>, _: Context| {
            for n in 0..500 {
                outbox.send_blocking(n)?;
            }
            Ok(())
        });
        let mut handle = system().activate_with_handle(numbers).unwrap();
        for n in 0..500 {
            assert_eq!(handle.get().await, Some(n));
        }
        assert!(matches!(handle.component.clone().await.reason, EndReason::Finished));
        assert!(handle.signal.recv().await.unwrap().is_finished());
    }
}
