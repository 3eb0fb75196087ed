//! Gives the node one core and the load the others.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::failure::Failure;

/// The cores of this machine, split.
#[derive(Debug, Clone)]
pub(crate) struct Cores {
    node: CpuSet,
    load: CpuSet,
    node_core: usize,
    load_count: usize,
}

impl Cores {
    /// Takes the last core for the node: interrupts tend to go to the first.
    pub(crate) fn split() -> Result<Cores, Failure> {
        let allowed = sched_getaffinity(None)?;
        let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).collect();
        let Some((&node_core, others)) = cores.split_last().filter(|(_, rest)| !rest.is_empty())
        else {
            let text = "this takes two cores, one of them for the node alone; this process may use \
                        one";
            return Err(Failure::new(text));
        };
        let (mut node, mut load) = (CpuSet::new(), CpuSet::new());
        node.set(node_core);
        for &core in others {
            load.set(core);
        }
        Ok(Cores { node, load, node_core, load_count: others.len() })
    }

    /// The node's core.
    pub(crate) fn node_core(&self) -> usize {
        self.node_core
    }

    /// How many the load has.
    pub(crate) fn load_count(&self) -> usize {
        self.load_count
    }

    /// Keeps the calling thread, and those that it starts, off the node's core.
    pub(crate) fn leave_node_core(&self) -> Result<(), Failure> {
        Ok(sched_setaffinity(None, &self.load)?)
    }

    /// Does something on the node's core: a process that is started there stays there.
    pub(crate) fn on_node_core<T>(&self, start: impl FnOnce() -> T) -> Result<T, Failure> {
        sched_setaffinity(None, &self.node)?;
        let started = start();
        self.leave_node_core()?;
        Ok(started)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_started_on_the_nodes_core_has_no_other() {
        // The affinity of a thread of its own is changed.
        let seen = std::thread::spawn(|| {
            let Ok(cores) = Cores::split() else { return None };
            let mut command = std::process::Command::new("cat");
            let output = cores.on_node_core(|| command.arg("/proc/self/status").output());
            let output = output.expect("an affinity").expect("a program");
            let status = String::from_utf8_lossy(&output.stdout).into_owned();
            let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            let own = sched_getaffinity(None).expect("an affinity");
            assert!(!own.is_set(cores.node_core()), "the load stays off the node's core");
            Some((list.map(|list| list.trim().to_owned()), cores.node_core()))
        })
        .join()
        .expect("a thread");
        match seen {
            Some((list, core)) => assert_eq!(list, Some(core.to_string())),
            None => ach_engine_trial::skipped("this process may use one core only"),
        }
    }
}
