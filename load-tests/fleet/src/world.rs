//! What the simulator is given: a site, where one can walk in it, and who is at home where.

use ach_actors_model::SiteConfig;
use ach_engine_site::SampleHospital;

use crate::walk_graph::{WalkGraph, Way};

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

impl World {
    /// The sample hospital; `config` is what its directory was compiled to.
    pub fn of_sample(sample: &SampleHospital, config: SiteConfig) -> World {
        let nodes = sample.walkway.nodes();
        let spots: Vec<_> = nodes.iter().map(|node| (node.x_mm, node.y_mm, node.floor)).collect();
        let ways: Vec<Way> = sample
            .walkway
            .edges()
            .iter()
            .map(|edge| Way { a: edge.a, b: edge.b, classes: edge.classes })
            .collect();
        let graph = WalkGraph::new(&spots, &ways, &config);
        let residences = sample
            .residents
            .iter()
            .zip(&config.subjects)
            .map(|(resident, subject)| {
                let targets = sample.walkway.targets(subject.class, resident.ward);
                Residence {
                    home: u32::try_from(resident.home).unwrap_or(0),
                    targets: targets.into_iter().filter_map(|it| u32::try_from(it).ok()).collect(),
                }
            })
            .collect();
        World { config, graph, residences }
    }
}
