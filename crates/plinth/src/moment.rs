//! A moment as people type it: a time, a time of day, or a time after the beginning of the run.

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use plinth_analysis::RunEntry;
use plinth_model::Problem;

/// A moment that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    OfDay(Time),
    After(SignedDuration),
}

impl Moment {
    /// Reads what a person typed: a time, or `+` and a duration.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let read = |text: &str| {
            if let Some(after) = text.strip_prefix('+') {
                return after.parse::<SignedDuration>().ok().map(Moment::After);
            }
            let at = text.parse::<Timestamp>().ok().map(Moment::At);
            let padded = if text.matches(':').count() == 1 { format!("{text}:00") } else { text.to_owned() };
            at.or_else(|| padded.parse::<Time>().ok().map(Moment::OfDay))
        };
        read(text.trim()).ok_or_else(|| {
            Problem::while_doing("reading the time")
                .to(format!("`{text}`"))
                .wrong_input("it is none")
                .try_this("write `2026-11-30T02:14:00Z`, `02:14` (UTC), or `+12min` after the run began")
        })
    }

    /// The run that was on then, and when that was. A time of day and a time after the beginning are of the last run.
    pub(crate) fn within(self, runs: &[RunEntry], now: Timestamp) -> Result<(&RunEntry, Timestamp), Problem> {
        let none = |happened: &str| {
            Problem::while_doing("finding the run of that time")
                .wrong_input(happened)
                .try_this("`plinth runs` lists them")
        };
        let last = runs.last().ok_or_else(|| none("there was no run yet"))?;
        let began = last.started.unwrap_or(now);
        let at = match self {
            Self::At(at) => at,
            Self::After(after) => began.checked_add(after).map_err(|error| none(&error.to_string()))?,
            Self::OfDay(time) => {
                of_day(began, time).ok_or_else(|| none("there is no such time on the day of the run"))?
            }
        };
        // Time in a rehearsal is virtual, and ahead.
        if at > now.max(last.updated.unwrap_or(now)) {
            return Err(none("it is not that time yet"));
        }
        let on = runs.iter().rev().find(|run| run.started.is_some_and(|started| started <= at));
        on.map(|run| (run, at)).ok_or_else(|| none("no run had begun then"))
    }
}

/// The first such time of day that is not before the run began.
fn of_day(began: Timestamp, time: Time) -> Option<Timestamp> {
    let date = began.to_zoned(TimeZone::UTC).date();
    let on = |date: jiff::civil::Date| date.to_datetime(time).to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    let same = on(date)?;
    if same >= began.checked_sub(SignedDuration::from_mins(1)).ok()? { Some(same) } else { on(date.tomorrow().ok()?) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::field_reassign_with_default)]
mod tests {
    use super::*;
    use plinth_model::run::RunHead;
    use plinth_model::{Digest, RunView, SiteName};

    #[test]
    fn times_are_read_as_people_write_them() {
        assert!(matches!(Moment::parse("2026-11-30T02:14:00Z").unwrap(), Moment::At(_)));
        assert_eq!(Moment::parse("02:14").unwrap(), Moment::parse("02:14:00").unwrap());
        assert_eq!(Moment::parse("+90s").unwrap(), Moment::After(SignedDuration::from_secs(90)));
        assert_eq!(Moment::parse("+12min").unwrap(), Moment::After(SignedDuration::from_mins(12)));
        for wrong in ["", "yesterday", "25:00", "+x"] {
            assert!(Moment::parse(wrong).is_err(), "{wrong}");
        }
        let began: Timestamp = "2026-11-30T23:50:00Z".parse().unwrap();
        let after_midnight = of_day(began, Time::constant(0, 10, 0, 0)).unwrap();
        assert_eq!(after_midnight.to_string(), "2026-12-01T00:10:00Z");
    }

    #[test]
    fn a_moment_that_has_not_come_is_refused() {
        let mut view = RunView::default();
        view.run = Some(RunHead::new("r", Digest::of(""), SiteName::new("lab").unwrap()));
        view.started = Some("2026-11-30T08:00:00Z".parse().unwrap());
        let mut runs = [RunEntry::of(&view, true).unwrap()];
        let now = "2026-11-30T08:30:00Z".parse().unwrap();
        let within = |runs: &[RunEntry], text| {
            Moment::parse(text).unwrap().within(runs, now).map(|(_, at)| at.to_string()).map_err(|no| no.happened)
        };
        assert_eq!(within(&runs, "08:12").unwrap(), "2026-11-30T08:12:00Z");
        for later in ["07:00", "+31min"] {
            assert!(within(&runs, later).unwrap_err().contains("not that time yet"), "{later}");
        }
        runs[0].updated = Some("2026-11-30T09:00:00Z".parse().unwrap());
        assert_eq!(within(&runs, "+31min").unwrap(), "2026-11-30T08:31:00Z", "virtual time is ahead");
    }
}
