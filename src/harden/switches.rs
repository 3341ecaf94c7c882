//! What of the hardening is on.

use std::str::FromStr;

/// Every measure with its switch. The default is all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// `--seccomp`.
    pub seccomp: Seccomp,
    /// `--landlock`.
    pub landlock: Landlock,
    /// `--drop-capabilities`.
    pub drop_capabilities: bool,
    /// `--no-new-privileges`.
    pub no_new_privileges: bool,
    /// `--no-core-dumps`.
    pub no_core_dumps: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            seccomp: Seccomp::default(),
            landlock: Landlock::default(),
            drop_capabilities: true,
            no_new_privileges: true,
            no_core_dumps: true,
        }
    }
}

/// What happens at a system call that is not on the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seccomp {
    /// It fails; a few kill the process.
    #[default]
    Enforce,
    /// The kernel logs it and goes on.
    Log,
    /// Nothing: there is no filter.
    Off,
}

impl FromStr for Seccomp {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "enforce" => Ok(Self::Enforce),
            "log" => Ok(Self::Log),
            "off" => Ok(Self::Off),
            _ => Err("enforce, log or off is expected"),
        }
    }
}

/// How much Landlock is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Landlock {
    /// What the kernel has of it.
    #[default]
    Auto,
    /// Not to start where the kernel has not all of it.
    Require,
    /// None.
    Off,
}

impl FromStr for Landlock {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "require" => Ok(Self::Require),
            "off" => Ok(Self::Off),
            _ => Err("auto, require or off is expected"),
        }
    }
}

/// A measure that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Toggle(pub bool);

impl FromStr for Toggle {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" | "true" => Ok(Self(true)),
            "off" | "false" => Ok(Self(false)),
            _ => Err("on or off is expected"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        assert_eq!("log".parse(), Ok(Seccomp::Log));
        assert_eq!("require".parse(), Ok(Landlock::Require));
        assert_eq!("on".parse(), Ok(Toggle(true)));
        assert_eq!("false".parse(), Ok(Toggle(false)), "as YAML writes off");
        assert!("yes".parse::<Toggle>().is_err());
        assert!("on".parse::<Seccomp>().is_err());
        assert!("on".parse::<Landlock>().is_err());
    }
}
