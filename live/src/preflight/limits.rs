//! The limits of the system for one process: files, and ports to one server. They are checked before anything is opened.

use std::ops::RangeInclusive;

use crate::generator::machine::most_files;

/// Files that are open beside connections.
const OTHER_FILES: u64 = 64;

/// What the system allows, as far as it says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Open files.
    pub files: Option<u64>,
    /// Ports that connections to one server may have.
    pub ports: Option<RangeInclusive<u16>>,
}

/// More connections than the system allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    /// Files.
    #[error(
        "{needed} connections are needed, but this process may open only {allowed} files; raise the limit (ulimit -n), \
         or set `connections: {{pool: {}}}`", allowed.saturating_sub(OTHER_FILES).max(1)
    )]
    Files {
        /// Connections.
        needed: u64,
        /// What the system allows.
        allowed: u64,
    },
    /// Ports.
    #[error(
        "{needed} connections are needed, but this system has only {allowed} ports for connections to one server; widen \
         net.ipv4.ip_local_port_range, or set `connections: {{pool: {}}}`", allowed.saturating_sub(1).max(1)
    )]
    Ports {
        /// Connections.
        needed: u64,
        /// What the system allows.
        allowed: u64,
    },
}

impl Limits {
    /// Those of this process.
    pub fn of_process() -> Limits {
        let ports = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
        Limits {
            files: most_files(),
            ports: ports.ok().as_deref().and_then(ports_of),
        }
    }

    /// Whether this many connections to one server can be opened, and that of the observers.
    ///
    /// # Errors
    /// What there is too little of.
    pub fn allow(&self, connections: u32) -> Result<(), TooMany> {
        let needed = u64::from(connections);
        if let Some(allowed) = self.files
            && needed + OTHER_FILES > allowed
        {
            return Err(TooMany::Files { needed, allowed });
        }
        if let Some(ports) = &self.ports {
            let allowed = u64::from(*ports.end() - *ports.start()) + 1;
            if needed + 1 > allowed {
                return Err(TooMany::Ports { needed, allowed });
            }
        }
        Ok(())
    }
}

fn ports_of(range: &str) -> Option<RangeInclusive<u16>> {
    let mut ends = range.split_whitespace();
    let (first, last) = (ends.next()?.parse().ok()?, ends.next()?.parse().ok()?);
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_ports_is_read() {
        assert_eq!(ports_of("32768\t60999\n"), Some(32768..=60999));
        assert_eq!(ports_of("60999 32768"), None);
    }

    #[test]
    fn too_many_connections_are_found_with_their_number() {
        let limits = Limits {
            files: Some(2_000),
            ports: Some(40_000..=40_999),
        };
        assert_eq!(limits.allow(999), Ok(()));
        let why = limits.allow(1_000).expect_err("too many").to_string();
        assert_eq!(
            why,
            "1000 connections are needed, but this system has only 1000 ports for connections to one server; widen \
             net.ipv4.ip_local_port_range, or set `connections: {pool: 999}`"
        );
        let why = limits.allow(1_937).expect_err("too many").to_string();
        assert!(
            why.starts_with(
                "1937 connections are needed, but this process may open only 2000 files"
            )
        );
        assert_eq!(Limits::default().allow(u32::MAX), Ok(()));
    }
}
