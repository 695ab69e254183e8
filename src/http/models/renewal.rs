//! What is served after models were read again.

use super::Served;
use super::sources::ModelsError;

/// A place whose model was read again.
pub struct Again {
    /// What was read, if it could be.
    pub fresh: Option<Served>,
    /// What was read there before.
    pub old: Vec<Served>,
}

impl Again {
    /// The names that it goes on to have.
    fn kept_names(&self) -> impl Iterator<Item = &String> {
        let names = self.old.iter().map(|old| &old.name);
        names.filter(|name| self.fresh.as_ref().is_none_or(|fresh| fresh.name == **name))
    }
}

/// What is served now, each name once: whoever has a name keeps it, and who comes by one that is taken stays what it was.
pub fn named_once(again: Vec<Again>, problems: &mut Vec<ModelsError>) -> Vec<Served> {
    let kept: Vec<String> = again.iter().flat_map(Again::kept_names).cloned().collect();
    let mut new = Vec::<Served>::new();
    for Again { fresh, old } in again {
        let is_served = |name: &String| new.iter().any(|other| other.name == *name);
        let next = match fresh {
            Some(fresh) if old.iter().any(|old| old.name == fresh.name) => vec![fresh],
            Some(fresh) if !kept.contains(&fresh.name) && !is_served(&fresh.name) => vec![fresh],
            Some(Served { file, name, .. }) => {
                problems.push(ModelsError::new(file.as_deref(), format!("there is another model named `{name}`")));
                old.into_iter().filter(|old| !is_served(&old.name)).collect()
            }
            None => old,
        };
        new.extend(next);
    }
    new
}
