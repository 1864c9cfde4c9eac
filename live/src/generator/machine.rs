//! What the system reports of this process and of the machine. What it does not report is absent, never 0.

use blis_sim::time::Span;

/// The processor time that this process has used.
pub fn process_time() -> Option<Span> {
    #[cfg(unix)]
    {
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let seconds = u64::try_from(used.tv_sec).ok()?;
        let nanos = u64::try_from(used.tv_nsec).ok()?;
        Some(Span::from_nanos(
            seconds.saturating_mul(1_000_000_000) + nanos,
        ))
    }
    #[cfg(not(unix))]
    {
        None
    }
}

/// What all processors of the machine have done since it started, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processors {
    /// Ticks in which they were busy, or taken away by the host of a virtual machine.
    pub busy: u64,
    /// All ticks.
    pub all: u64,
}

/// What the processors of the machine have done.
pub fn processors() -> Option<Processors> {
    #[cfg(target_os = "linux")]
    {
        use procfs::CurrentSI as _;
        let total = procfs::KernelStats::current().ok()?.total;
        let or_none = |ticks: Option<u64>| ticks.unwrap_or(0);
        let idle = total.idle + or_none(total.iowait);
        let busy = [
            total.user,
            total.nice,
            total.system,
            or_none(total.irq),
            or_none(total.softirq),
            or_none(total.steal),
        ];
        let busy = busy.iter().sum();
        Some(Processors {
            busy,
            all: idle + busy,
        })
    }
    #[cfg(not(target_os = "linux"))]
    {
        None
    }
}

/// The bytes of memory that this process holds.
pub fn memory() -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let pages = procfs::process::Process::myself().ok()?.statm().ok()?;
        Some(pages.resident * procfs::page_size())
    }
    #[cfg(not(target_os = "linux"))]
    {
        None
    }
}

/// How many files this process may have open.
pub fn most_files() -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let limits = procfs::process::Process::myself().ok()?.limits().ok()?;
        match limits.max_open_files.soft_limit {
            procfs::process::LimitValue::Value(most) => Some(most),
            procfs::process::LimitValue::Unlimited => None,
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_says_all_of_it() {
        assert!(process_time().is_some_and(|used| used > Span::ZERO));
        let processors = processors().expect("ticks");
        assert!(0 < processors.busy && processors.busy < processors.all);
        assert!(memory().is_some_and(|bytes| bytes > 1 << 16));
        assert!(most_files().is_none_or(|files| files > 3));
    }
}
