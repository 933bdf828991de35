//! How planning grows with nodes. Ratios within one run on one machine are what counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fixture::{catalog::Shelf, site, unseen};
use plinth_plan::render::Look;
use plinth_plan::{plan, render, saved, static_inventory};
use plinth_site::desired::InventorySource;
use std::hint::black_box;

fn planning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("planning");
    group.sample_size(10);
    for nodes in [1_000usize, 10_000] {
        let desired = site::large(nodes);
        let InventorySource::Static(list) = &desired.inventory else { panic!("the large site is static") };
        let observed = unseen(static_inventory(list));
        let shelf = Shelf::default();
        group.bench_with_input(BenchmarkId::new("plan", nodes), &nodes, |bencher, _| {
            bencher.iter(|| plan(black_box(&desired), &observed, &shelf).expect("a plan"));
        });
        let made = plan(&desired, &observed, &shelf).expect("a plan");
        group.bench_with_input(BenchmarkId::new("text", nodes), &nodes, |bencher, _| {
            bencher.iter(|| render::text(black_box(&made), Look { colour: true, width: 120, all: true }));
        });
        group.bench_with_input(BenchmarkId::new("save", nodes), &nodes, |bencher, _| {
            bencher.iter(|| saved::write(black_box(&made)).expect("JSON"));
        });
    }
    group.finish();
}

criterion_group!(benches, planning);
criterion_main!(benches);
