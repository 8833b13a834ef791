//! What the shift has to do, drawn from the seed.

use std::time::Duration;

use sim_io::Environment;

use super::clock::minutes;

/// How long a shift is.
pub(crate) const SHIFT: Duration = minutes(8 * 60);
/// Wafers in a lot.
pub(crate) const WAFERS: u32 = 25;

/// Recipes by name, with the seconds that a wafer is in a chamber.
pub(crate) const RECIPES: [(&str, u64); 3] = [("OXIDE", 150), ("NITRIDE", 200), ("METAL", 120)];

/// A lot, and when it comes to the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lot {
    pub(crate) name: String,
    pub(crate) recipe: &'static str,
    /// Goes before all others.
    pub(crate) hot: bool,
    pub(crate) at: Duration,
}

/// The lots of a shift, evenly spread with some disorder over its first six and a half hours.
pub(crate) fn lots(seed: u64, count: u32) -> Vec<Lot> {
    let chance = Environment::with_seed(seed);
    let apart = minutes(6 * 60 + 30) / count;
    let mut lots = Vec::new();
    for number in 1..=count {
        let early = apart.mul_f64(0.6 * chance.random_fraction());
        let recipe = RECIPES[(chance.random() % RECIPES.len() as u64) as usize].0;
        lots.push(Lot {
            name: format!("L{number:02}"),
            recipe,
            // Now and then one that everybody waits for.
            hot: number % 5 == 0,
            at: (apart * number).saturating_sub(apart.mul_f64(0.7) + early),
        });
    }
    lots
}

/// Shift after shift, for as long as anybody looks.
pub(crate) fn without_end(seed: u64, count: u32) -> impl Iterator<Item = Lot> + Send + 'static {
    (0..).flat_map(move |shift: u32| {
        let later = move |(number, mut lot): (u32, Lot)| {
            lot.at += SHIFT * shift;
            // No name comes twice.
            lot.name = format!("L{:02}", shift.saturating_mul(count).saturating_add(number));
            lot
        };
        (1..).zip(lots(seed.wrapping_add(u64::from(shift)), count)).map(later)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_come_in_order_and_in_time_and_by_the_seed() {
        let shift = lots(3, 16);
        assert!(shift.windows(2).all(|pair| pair[0].at < pair[1].at));
        assert!(shift.iter().all(|lot| lot.at < SHIFT));
        assert_eq!(shift, lots(3, 16));
        assert_ne!(shift, lots(4, 16));
        let many: Vec<_> = without_end(3, 16).take(40).collect();
        assert_eq!(many[..16], shift);
        assert!(
            many.windows(2)
                .all(|pair| pair[0].at < pair[1].at && pair[0].name != pair[1].name)
        );
        assert_eq!(many[39].name, "L40");
    }
}
