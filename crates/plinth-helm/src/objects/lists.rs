//! Lists of objects, one for each kind, that all who look at the same time share. A look asks for every release of a platform at once, and
//! most of them have objects of the same kinds. What we write ourselves makes all lists old, so who has just put something right sees it.

use plinth_world::helm::{HelmObjects, Made, Part};
use plinth_world::{ClientResult, Context, deadlines};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Quick, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;

/// What is there of one kind.
pub(super) enum Listed {
    /// By namespace and name; the namespace is empty for what belongs to the whole cluster.
    There(HashMap<(String, String), Value>),
    NoKind,
    Forbidden(String),
}

/// A kind: its `apiVersion`, its name, and how much of its objects is wanted.
pub(super) type Kind = (String, String, Part);

struct List {
    listed: Arc<Listed>,
    /// By the clock of who asked.
    began: Duration,
    /// Our own writes that it knows of.
    writes: u64,
}

/// A place for the list of one kind. Who holds it makes the next one.
type Slot = Arc<Mutex<Option<List>>>;

/// The lists of the last look.
#[derive(Default)]
pub(crate) struct Lists {
    slots: Quick<HashMap<Kind, Slot>>,
    writes: AtomicU64,
}

impl Lists {
    /// Something was written: what was listed before is old.
    pub(crate) fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::AcqRel);
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Lets go of what nobody may be answered from any more, since it takes room.
    pub(crate) fn tidy(&self, ctx: &Context) {
        let now = ctx.clock().elapsed();
        let is_fresh = |slot: &Slot| match slot.try_lock() {
            Ok(list) => list.as_ref().is_some_and(|list| is_fresh(list, now)),
            Err(_) => true,
        };
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, slot| is_fresh(slot));
    }

    /// What is there of a kind.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub(super) async fn of(&self, ctx: &Context, cluster: &dyn HelmObjects, kind: &Kind) -> ClientResult<Arc<Listed>> {
        let slot =
            Arc::clone(self.slots.lock().unwrap_or_else(PoisonError::into_inner).entry(kind.clone()).or_default());
        let mut held = slot.lock().await;
        let (now, writes) = (ctx.clock().elapsed(), self.writes.load(Ordering::Acquire));
        if let Some(list) = held.as_ref().filter(|list| list.writes == writes && is_fresh(list, now)) {
            return Ok(Arc::clone(&list.listed));
        }
        let (version, name, part) = kind;
        let listed = Arc::new(by_name(cluster.made(ctx, version, name, *part).await?));
        *held = Some(List { listed: Arc::clone(&listed), began: now, writes });
        Ok(listed)
    }
}

fn is_fresh(list: &List, now: Duration) -> bool {
    now.saturating_sub(list.began) < deadlines::HELM_OBJECTS_LISTED
}

fn by_name(made: Made) -> Listed {
    let name = |object: Value| {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        ((text("/metadata/namespace"), text("/metadata/name")), object)
    };
    match made {
        Made::There(objects) => Listed::There(objects.into_iter().map(name).collect()),
        Made::NoKind => Listed::NoKind,
        Made::Forbidden(why) => Listed::Forbidden(why),
    }
}
