//! What the simulator is given: a site, where one can walk in it, and who is at home where.

use ach_actors_model::SiteConfig;

use crate::walk_graph::WalkGraph;

/// Where a subject is at home and what it does there.
#[derive(Debug, Clone, Default)]
pub struct Residence {
    /// The spot the subject starts from and returns to.
    pub home: u32,
    /// Spots it has business at.
    pub targets: Vec<u32>,
}

/// A site with its people in it.
#[derive(Debug, Clone)]
pub struct World {
    /// The site as the product knows it.
    pub config: SiteConfig,
    /// Where one can walk.
    pub graph: WalkGraph,
    /// By index of subject.
    pub residences: Vec<Residence>,
}
