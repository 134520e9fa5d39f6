//! Processor time and memory of processes, from `/proc`. `None` on systems without it.

/// The most memory that a process has had resident, in bytes. `process` is its id, or `self`.
pub(crate) fn peak_memory(process: &str) -> Option<u64> {
    peak_in(&fs_err::read_to_string(format!("/proc/{process}/status")).ok()?)
}

/// The processor time that a running process has used, user and system, in seconds.
pub(crate) fn cpu_of(process: u32) -> Option<f64> {
    seconds_in(&fs_err::read_to_string(format!("/proc/{process}/stat")).ok()?, 11)
}

/// The processor time of all children of this process that have ended and were waited for, user and
/// system, in seconds.
pub(crate) fn cpu_of_ended_children() -> Option<f64> {
    seconds_in(&fs_err::read_to_string("/proc/self/stat").ok()?, 13)
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The sum of two neighbouring fields of `/proc/PID/stat` in seconds; `first` counts from the field
/// after the process's name.
fn seconds_in(stat: &str, first: usize) -> Option<f64> {
    // The name is in parentheses and may have spaces and parentheses itself.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: Vec<u32> =
        fields.split(' ').skip(first).take(2).map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, system] = ticks[..] else { return None };
    #[expect(clippy::cast_precision_loss, reason = "ticks per second are a hundred or a thousand")]
    let per_second = rustix::param::clock_ticks_per_second() as f64;
    Some((f64::from(user) + f64::from(system)) / per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_the_status() {
        assert_eq!(peak_in("Name:\tcat\nVmPeak:\t  999 kB\nVmHWM:\t    1728 kB\n"), Some(1728 * 1024));
        assert_eq!(peak_in("Name:\tcat\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn processor_time_is_read_whatever_the_process_is_called() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194304 100 200 0 0 150 50 1000 500 20 0 1 0 12345\n";
        let ticks = seconds_in(stat, 11).unwrap() / seconds_in(stat, 13).unwrap();
        assert!((ticks - 200.0 / 1500.0).abs() < 1e-9, "{ticks}");
        assert_eq!(seconds_in("42 (cut", 11), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_used_something() {
        assert!(peak_memory("self").unwrap() > 1_000_000);
        assert!(cpu_of(std::process::id()).is_some());
        assert!(cpu_of_ended_children().is_some());
    }
}
