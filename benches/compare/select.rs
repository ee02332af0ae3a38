//! Which scenarios are asked for.

/// Texts, one of which a scenario's group or name has to contain; none asks for everything.
#[derive(Clone, Debug, Default)]
pub struct Only(pub Vec<String>);

impl Only {
    pub fn wants(&self, group: &str, name: &str) -> bool {
        self.wants_text(&format!("{group}: {name}"))
    }

    /// Whether what goes by such a text is wanted.
    pub fn wants_text(&self, whole: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|text| whole.contains(text.as_str()))
    }

    /// Whether any scenario of the groups that begin with `family` may be wanted.
    pub fn may_want(&self, family: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|text| text.contains(family))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_is_enough() {
        let only = Only(vec!["latency".into(), "exclusive: 8 B".into()]);
        assert!(only.wants("throughput, exclusive", "8 B, ring 1024"));
        assert!(!only.wants("throughput, shared", "8 B, ring 1024"));
        assert!(only.may_want("latency") && !only.may_want("trouble"));
        assert!(Only::default().wants("any", "thing"));
    }
}
