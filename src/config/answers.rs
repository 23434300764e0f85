//! Brakes against loops.

use super::setting::{Setting, Slot};

/// Section `[answers]`: defaults that an agent may lower (EM-27).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Answers to one correspondent in 10 minutes; 3.
    pub per_correspondent_10_minutes: u32,
    /// Answers to one correspondent in 24 hours; 20.
    pub per_correspondent_day: u32,
    /// Answers in one thread in 24 hours; 10.
    pub per_thread_day: u32,
    /// Answers of one agent in 24 hours; 10,000.
    pub per_agent_day: u32,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            per_correspondent_10_minutes: 3,
            per_correspondent_day: 20,
            per_thread_day: 10,
            per_agent_day: 10_000,
        }
    }
}

impl Answers {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting {
                name: "per_correspondent_10_minutes",
                slot: Slot::Count(&mut self.per_correspondent_10_minutes, 1..=10_000),
            },
            Setting {
                name: "per_correspondent_day",
                slot: Slot::Count(&mut self.per_correspondent_day, 1..=10_000),
            },
            Setting { name: "per_thread_day", slot: Slot::Count(&mut self.per_thread_day, 1..=10_000) },
            Setting { name: "per_agent_day", slot: Slot::Count(&mut self.per_agent_day, 1..=1_000_000) },
        ]
    }
}
