//! A value per Region, such as a client.

use latchkey_core::values::Region;

/// One `T` in each Region.
#[derive(Clone)]
pub(crate) struct PerRegion<T> {
    us_east_2: T,
    us_west_2: T,
}

impl<T> PerRegion<T> {
    pub(crate) fn new(make: impl Fn(Region) -> T) -> Self {
        Self {
            us_east_2: make(Region::UsEast2),
            us_west_2: make(Region::UsWest2),
        }
    }

    pub(crate) const fn of(&self, region: Region) -> &T {
        match region {
            Region::UsEast2 => &self.us_east_2,
            Region::UsWest2 => &self.us_west_2,
        }
    }
}
