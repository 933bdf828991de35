use crate::rack::block_on;
use async_trait::async_trait;
use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use plinth_model::inventory::Inventory;
use plinth_sim::clock::{Pace, Stalled};
use plinth_sim::{HeldBcm, VirtualClock};
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::{ClientResult, Clock, Context};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn clock() -> VirtualClock {
    VirtualClock::new(Timestamp::UNIX_EPOCH)
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn sleepers_wake_in_the_order_of_time_and_then_of_registration() {
    let clock = clock();
    let woken = Mutex::new(Vec::new());
    let sleeper = |name: &'static str, seconds| {
        let (clock, woken) = (&clock, &woken);
        async move {
            clock.sleep(s(seconds)).await;
            woken.lock().unwrap().push((name, clock.elapsed().as_secs()));
        }
    };
    let all = async {
        let mut set: FuturesUnordered<_> = [("late", 9), ("b", 5), ("early", 1), ("c", 5), ("now", 0), ("d", 5)]
            .map(|(n, t)| sleeper(n, t))
            .into_iter()
            .collect();
        while set.next().await.is_some() {}
    };
    block_on(clock.drive_strictly(all)).unwrap();
    let names: Vec<_> = woken.lock().unwrap().clone();
    assert_eq!(names, [("now", 0), ("early", 1), ("b", 5), ("c", 5), ("d", 5), ("late", 9)]);
    assert_eq!(clock.now(), Timestamp::from_second(9).unwrap());
}

#[test]
fn hours_pass_at_once() {
    let clock = clock();
    let began = Instant::now();
    block_on(clock.drive(async { clock.sleep(s(86_400)).await }, None));
    assert_eq!(clock.elapsed(), s(86_400));
    assert!(began.elapsed() < s(5));
}

#[test]
fn a_cancelled_sleep_leaves_nothing_and_moves_no_time() {
    let clock = clock();
    block_on(clock.drive_strictly(async {
        let mut long = Box::pin(clock.sleep(s(1000)));
        assert!(long.as_mut().now_or_never().is_none());
        assert_eq!(clock.sleeping(), 1);
        drop(long);
        assert_eq!(clock.sleeping(), 0);
        clock.sleep(s(2)).await;
    }))
    .unwrap();
    assert_eq!((clock.elapsed(), clock.sleeping()), (s(2), 0));
}

#[test]
fn work_that_waits_for_nothing_is_told_apart_from_work_that_sleeps() {
    let clock = clock();
    let stuck = async {
        clock.sleep(s(3)).await;
        std::future::pending::<()>().await;
    };
    assert_eq!(block_on(clock.drive_strictly(stuck)), Err(Stalled { at: s(3) }));
}

#[test]
fn a_patient_drive_still_hears_wakes_from_outside() {
    let clock = clock();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let answer = block_on(async {
        let outside = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            sender.send(5).unwrap();
        };
        let ((), answer) = futures::join!(outside, clock.drive(async { receiver.await.unwrap() }, None));
        answer
    });
    assert_eq!((answer, clock.elapsed()), (5, s(0)));
}

#[test]
fn time_stands_still_while_it_is_held() {
    let clock = clock();
    let work = async {
        let real = async {
            let hold = clock.hold();
            tokio::time::sleep(Duration::from_millis(30)).await;
            let seen = clock.elapsed();
            drop(hold);
            seen
        };
        futures::join!(real, clock.sleep(s(60)))
    };
    let (seen, ()) = block_on(clock.drive_strictly(work)).unwrap();
    assert_eq!((seen, clock.elapsed()), (s(0), s(60)));
}

struct RetryingClient;

#[async_trait]
impl BcmClient for RetryingClient {
    async fn identity(&self, ctx: &Context) -> ClientResult<BcmIdentity> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        ctx.clock().sleep(s(7)).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok(BcmIdentity { head_nodes: Vec::new(), names: vec![format!("{}", ctx.clock().elapsed().as_secs())] })
    }

    async fn inventory(&self, _: &Context) -> ClientResult<Inventory> {
        panic!("not called")
    }
}

#[test]
fn a_held_client_may_still_wait_between_two_tries() {
    let clock = clock();
    let client = HeldBcm::new(RetryingClient, clock.clone());
    let ctx = Context::quiet(Arc::new(clock.clone()));
    let work = async { futures::join!(client.identity(&ctx), clock.sleep(s(100))) };
    let (identity, ()) = block_on(clock.drive_strictly(work)).unwrap();
    assert_eq!(identity.unwrap().names, ["7"]);
    assert_eq!(clock.elapsed(), s(100));
}

#[test]
fn pace_slows_jumps_down_within_its_bounds() {
    let clock = clock();
    let pace = Pace {
        real_per_virtual_second: Duration::from_millis(10),
        longest_jump: Duration::from_millis(40),
        total: Duration::from_millis(60),
    };
    let began = Instant::now();
    block_on(clock.drive(
        async {
            clock.sleep(s(1000)).await;
            clock.sleep(s(1000)).await;
            clock.sleep(s(1_000_000)).await;
        },
        Some(pace),
    ));
    let real = began.elapsed();
    assert!(real >= Duration::from_millis(60), "{real:?}");
    assert!(real < s(5), "{real:?}");
}

#[test]
fn a_paced_wait_is_interrupted_by_a_wake() {
    let clock = clock();
    let pace = Pace { real_per_virtual_second: s(1), longest_jump: s(30), total: s(60) };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let began = Instant::now();
    block_on(async {
        let outside = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            sender.send(()).unwrap();
        };
        let work = async {
            futures::select! {
                () = clock.sleep(s(3600)).fuse() => panic!("the signal comes first"),
                _ = receiver.fuse() => {}
            }
        };
        futures::join!(outside, clock.drive(work, Some(pace)))
    });
    assert!(began.elapsed() < s(10));
    assert_eq!(clock.sleeping(), 0);
}

#[test]
fn tokio_resources_that_ask_for_a_turn_get_one() {
    let clock = clock();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    (0..1000).for_each(|n| sender.send(n).unwrap());
    drop(sender);
    let work = async {
        let mut sum = 0;
        while let Some(n) = receiver.recv().await {
            sum += n;
        }
        sum
    };
    assert_eq!(block_on(async { clock.drive(work, None).await }), 499_500);
}

#[test]
fn a_hundred_thousand_sleepers_are_no_burden() {
    let clock = clock();
    let began = Instant::now();
    block_on(clock.drive_strictly(async {
        let mut set: FuturesUnordered<_> = (0..100_000_u64).map(|n| clock.sleep(s(n * 7919 % 100_003))).collect();
        while set.next().await.is_some() {}
    }))
    .unwrap();
    assert_eq!(clock.elapsed(), s(100_002));
    assert_eq!(clock.sleeping(), 0);
    assert!(began.elapsed() < s(30), "{:?}", began.elapsed());
}
