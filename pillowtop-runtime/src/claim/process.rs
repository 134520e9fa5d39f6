//! Which process an owner is, so that one that is certainly dead need not be waited for.

use serde::{Deserialize, Serialize};

/// A process of this or another machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Its id, in its own namespace.
    pub pid: u32,
    /// Which start of which machine; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// In which namespace the id counts, as `pid:[4026531836]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid_namespace: Option<String>,
    /// When it started, in ticks since the machine did: distinguishes it from a later process with
    /// the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ticks: Option<u64>,
}

impl ProcessIdentity {
    /// This process.
    pub(crate) fn own() -> Self {
        let pid = std::process::id();
        Self {
            pid,
            boot_id: system::boot_id(),
            pid_namespace: system::pid_namespace(),
            start_ticks: system::start_ticks(pid),
        }
    }

    /// Whether it certainly no longer runs. A process of another machine or namespace may always be
    /// alive.
    pub(crate) fn is_dead(&self, own: &Self) -> bool {
        let same = |theirs: &Option<String>, ours: &Option<String>| theirs.is_some() && theirs == ours;
        same(&self.boot_id, &own.boot_id)
            && same(&self.pid_namespace, &own.pid_namespace)
            && self.start_ticks.is_some_and(|started| !system::runs(self.pid, started))
    }
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::process::{Pid, test_kill_process};

    pub(super) fn boot_id() -> Option<String> {
        fs_err::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|text| text.trim().to_owned())
    }

    pub(super) fn pid_namespace() -> Option<String> {
        fs_err::read_link("/proc/self/ns/pid").ok().map(|link| link.to_string_lossy().into_owned())
    }

    pub(super) fn start_ticks(pid: u32) -> Option<u64> {
        stat(pid).and_then(|stat| super::read_stat(&stat)).map(|(_, ticks)| ticks)
    }

    /// Whether the process that started then still runs. One that has ended and was not collected
    /// yet does not.
    pub(super) fn runs(pid: u32, started: u64) -> bool {
        match stat(pid).and_then(|stat| super::read_stat(&stat)) {
            Some((state, ticks)) => ticks == started && !matches!(state, 'Z' | 'X'),
            // /proc may be mounted so that other users' processes are not seen.
            None => i32::try_from(pid)
                .ok()
                .and_then(Pid::from_raw)
                .is_none_or(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH)),
        }
    }

    fn stat(pid: u32) -> Option<String> {
        let bytes = fs_err::read(format!("/proc/{pid}/stat")).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn boot_id() -> Option<String> {
        None
    }

    pub(super) fn pid_namespace() -> Option<String> {
        None
    }

    pub(super) fn start_ticks(_: u32) -> Option<u64> {
        None
    }

    pub(super) fn runs(_: u32, _: u64) -> bool {
        true
    }
}

/// State and start of `/proc/<pid>/stat`. The program's name, in parentheses, may itself have
/// spaces and parentheses.
#[cfg(any(target_os = "linux", test))]
fn read_stat(stat: &str) -> Option<(char, u64)> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // The state is field 3, the start is field 22.
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_behind_its_name() {
        let line =
            "4242 (a) R (b)) S 1 4242 4242 0 -1 4194560 1 0 0 0 7 8 0 0 20 0 5 0 987654 1000 10 1844 1";
        assert_eq!(read_stat(line), Some(('S', 987_654)));
        assert_eq!(read_stat("1 (x"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_a_process_of_this_machine_can_be_known_dead() {
        let own = ProcessIdentity::own();
        assert!(!own.is_dead(&own));
        let earlier = ProcessIdentity { start_ticks: own.start_ticks.map(|ticks| ticks - 1), ..own.clone() };
        assert!(earlier.is_dead(&own));
        let elsewhere = ProcessIdentity { boot_id: Some("other".to_owned()), ..earlier.clone() };
        assert!(!elsewhere.is_dead(&own));
        let in_a_container = ProcessIdentity { pid_namespace: Some("pid:[1]".to_owned()), ..earlier };
        assert!(!in_a_container.is_dead(&own));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = ProcessIdentity {
            pid: child.id(),
            start_ticks: system::start_ticks(child.id()).or(own.start_ticks),
            ..own.clone()
        };
        child.wait().unwrap();
        assert!(gone.is_dead(&own));
    }
}
