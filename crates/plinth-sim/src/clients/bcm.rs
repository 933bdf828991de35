//! The BCM client of a rehearsal: the real one, against a simulated server, while virtual time stands still.

use crate::VirtualClock;
use crate::clock::Hold;
use crate::data_centre::DataCentre;
use crate::faults::FaultKind;
use async_trait::async_trait;
use jiff::Timestamp;
use plinth_model::inventory::Inventory;
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::{ClientError, ClientResult, Clock, Context};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Holds virtual time while a call does real input and output. While the call waits on its context's clock (between two
/// tries) time goes on, or it would wait for ever.
pub struct HeldBcm<D> {
    inner: D,
    clock: VirtualClock,
    centre: Option<Arc<DataCentre>>,
}

impl<D: BcmClient> HeldBcm<D> {
    /// Puts a client on a virtual clock.
    pub fn new(inner: D, clock: VirtualClock) -> Self {
        Self { inner, clock, centre: None }
    }

    /// Also writes down, at the first call, that the BCM faults of this run are spent.
    pub(crate) fn spending(mut self, centre: Arc<DataCentre>) -> Self {
        self.centre = Some(centre);
        self
    }

    fn hold(&self, ctx: &Context) -> ClientResult<Context> {
        if let Some(centre) = &self.centre {
            centre.strike_all(|kind| matches!(kind, FaultKind::Bcm(_)))?;
        }
        let held = HeldClock { hold: Mutex::new(Some(self.clock.hold())), clock: self.clock.clone() };
        let outer = ctx.clone();
        Ok(Context::new(Arc::new(held), move |progress| {
            outer.progress(progress.done, progress.total, progress.message)
        }))
    }
}

#[async_trait]
impl<D: BcmClient> BcmClient for HeldBcm<D> {
    async fn identity(&self, ctx: &Context) -> ClientResult<BcmIdentity> {
        self.inner.identity(&self.hold(ctx)?).await
    }

    async fn inventory(&self, ctx: &Context) -> ClientResult<Inventory> {
        self.inner.inventory(&self.hold(ctx)?).await
    }
}

/// Lets virtual time go only while somebody sleeps on it.
struct HeldClock {
    clock: VirtualClock,
    hold: Mutex<Option<Hold>>,
}

impl HeldClock {
    fn set(&self, hold: Option<Hold>) {
        let old = std::mem::replace(&mut *self.hold.lock().unwrap_or_else(PoisonError::into_inner), hold);
        drop(old);
    }
}

#[async_trait]
impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        self.set(None);
        self.clock.sleep(duration).await;
        self.set(Some(self.clock.hold()));
    }
}

/// There is no BCM in this rehearsal. Every call fails.
#[derive(Clone, Copy, Debug)]
pub struct NoBcm;

impl NoBcm {
    fn error(doing: &str) -> ClientError {
        let attempt = "give the rehearsal an inventory that comes from BCM";
        ClientError::new("bcm", doing).happened("this rehearsal has no BCM").attempt(attempt)
    }
}

#[async_trait]
impl BcmClient for NoBcm {
    async fn identity(&self, _: &Context) -> ClientResult<BcmIdentity> {
        Err(Self::error("asking BCM who it is"))
    }

    async fn inventory(&self, _: &Context) -> ClientResult<Inventory> {
        Err(Self::error("listing nodes in BCM"))
    }
}

pub(crate) struct SharedBcm(pub(crate) Arc<dyn BcmClient>);

#[async_trait]
impl BcmClient for SharedBcm {
    async fn identity(&self, ctx: &Context) -> ClientResult<BcmIdentity> {
        self.0.identity(ctx).await
    }

    async fn inventory(&self, ctx: &Context) -> ClientResult<Inventory> {
        self.0.inventory(ctx).await
    }
}
