//! The size of the load.

use core::fmt;

/// Each setting comes from the environment variable `LOAD_<NAME>`. Without it, `cargo bench` runs the whole load, and
/// otherwise the load takes a few seconds.
#[derive(Clone, Debug)]
pub struct Settings {
    pub workspaces: usize,
    pub vaults: usize,
    pub items: usize,
    /// How many of each function in each Region.
    pub environments: usize,
    /// The most requests at a time.
    pub clients: usize,
    /// Requests a second.
    pub rate: f64,
    /// How long the load runs at that rate, in seconds.
    pub seconds: f64,
    /// How long the load runs as fast as it goes, in seconds.
    pub flat_out_seconds: f64,
    /// Seeds everything random.
    pub seed: u64,
}

impl Settings {
    pub fn from_environment() -> Self {
        let whole = std::env::args().any(|argument| argument == "--bench");
        let number = |name: &str, of_the_whole: f64, of_a_test: f64| -> f64 {
            match std::env::var(format!("LOAD_{name}")) {
                Ok(number) => number.parse().expect("LOAD_ variables are numbers"),
                Err(_) => {
                    if whole {
                        of_the_whole
                    } else {
                        of_a_test
                    }
                }
            }
        };
        Self {
            workspaces: number("WORKSPACES", 100.0, 5.0) as usize,
            vaults: number("VAULTS", 1_000.0, 15.0) as usize,
            items: number("ITEMS", 100_000.0, 500.0) as usize,
            environments: number("ENVIRONMENTS", 2.0, 2.0) as usize,
            clients: number("CLIENTS", 64.0, 16.0) as usize,
            rate: number("RATE", 20.0, 40.0),
            seconds: number("SECONDS", 840.0, 2.0),
            flat_out_seconds: number("FLAT_OUT_SECONDS", 30.0, 1.0),
            seed: number("SEED", 1.0, 1.0) as u64,
        }
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} items in {} vaults of {} workspaces; {} environments of each function in each Region; seed {}",
            self.items, self.vaults, self.workspaces, self.environments, self.seed
        )
    }
}
