//! Chance that repeats: the same words give the same numbers, so that an estimate does not flicker between two looks.

/// Most squares that are added up for Student's distribution; with more observations it is the normal one.
const MANY: u32 = 30;

/// Farther than this nothing is drawn: Student's distribution with one degree of freedom would know no end.
const FARTHEST: f64 = 4.0;

/// A sequence of numbers that depends on its words alone (SplitMix64 over FNV-1a).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(word: &str, number: usize) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in word.bytes().chain(number.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(hash)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, not including, 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal, around 0, with a deviation of 1 (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let (a, b) = (1.0 - self.share(), self.share());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    /// Student's, with so many degrees of freedom.
    pub(crate) fn student(&mut self, freedom: u32) -> f64 {
        let normal = self.normal();
        if freedom >= MANY {
            return normal;
        }
        let freedom = freedom.max(1);
        let squares: f64 = (0..freedom).map(|_| self.normal().powi(2)).sum();
        (normal / (squares / f64::from(freedom)).sqrt().max(1e-3)).clamp(-FARTHEST, FARTHEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_repeat_and_are_spread_as_they_should_be() {
        assert!((Chance::of("a", 1).share() - Chance::of("a", 1).share()).abs() < f64::EPSILON);
        let mut chance = Chance::of("spread", 0);
        let drawn: Vec<f64> = (0..4000).map(|_| chance.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / 4000.0;
        let deviation = (drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4000.0).sqrt();
        assert!(mean.abs() < 0.05 && (deviation - 1.0).abs() < 0.05, "{mean} {deviation}");
        let beyond = (0..4000).filter(|_| chance.student(3).abs() > 3.182).count();
        assert!((120..280).contains(&beyond), "5 % of Student's distribution with three lie beyond 3.18: {beyond}");
    }
}
