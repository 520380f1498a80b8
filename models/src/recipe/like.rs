//! `like = "NAME"`: a recipe based on a shipped one.
//!
//! Tables are merged key by key; any other value replaces the base's value. A network's `layers` are replaced as a
//! whole, and so is a table with another `kind`. Notes are added to the base's; claims are not inherited.

use std::path::Path;

use toml::{Table, Value};

use super::texts::SHIPPED;
use super::toml_text::one_line;
use crate::Error;
use engine::nearest;

/// Returns the recipe with everything that it inherits; `None` if it inherits nothing, or is not valid TOML (the
/// caller's own parser then reports where).
///
/// # Errors
/// [`Error::Malformed`] if `like` is not the name of a shipped recipe.
pub(super) fn whole(text: &str, path: &Path) -> Result<Option<Table>, Error> {
    let malformed = |reason| Error::Malformed {
        path: path.into(),
        reason,
    };
    let Ok(mut own) = toml::from_str::<Table>(text) else {
        return Ok(None);
    };
    let Some(like) = own.remove("like") else {
        return Ok(None);
    };
    let name = like.as_str().unwrap_or_default();
    let shipped = SHIPPED.iter().find(|(shipped, _)| *shipped == name);
    let Some((name, text)) = shipped else {
        let near = nearest(name, SHIPPED.iter().map(|recipe| recipe.0));
        let hint = near.map_or(String::new(), |near| format!("; did you mean {near:?}?"));
        return Err(malformed(format!("like = {like}: no shipped recipe{hint}")));
    };
    // A test loads every shipped recipe, so none inherits from itself, directly or not.
    let base = match whole(text, Path::new(name))? {
        Some(base) => base,
        None => toml::from_str(text).map_err(|error| malformed(one_line(&error, text)))?,
    };
    Ok(Some(put_together(base, own)))
}

fn put_together(mut base: Table, mut own: Table) -> Table {
    base.remove("claimed");
    if let (Some(Value::Array(notes)), Some(Value::Array(more))) =
        (base.get("notes"), own.get_mut("notes"))
    {
        more.splice(0..0, notes.iter().cloned());
    }
    overlay(&mut base, own);
    base
}

fn overlay(base: &mut Table, own: Table) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(own)) if same_kind(base, &own) => {
                overlay(base, own);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn same_kind(base: &Table, own: &Table) -> bool {
    own.get("kind")
        .is_none_or(|kind| base.get("kind") == Some(kind))
}

#[cfg(test)]
mod tests {
    use crate::recipe::Recipe;
    use std::path::Path;

    fn parse(text: &str) -> Result<Recipe, String> {
        Recipe::parse(text, Path::new("mine.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_is_taken_over() {
        let base = Recipe::load("ajufo-cnn").unwrap();
        let own = parse(
            "like = 'ajufo-cnn'\nname = 'mine'\nnotes = ['longer']\n[training]\nepochs = 99\n[input.features]\nhop = 512",
        )
        .unwrap();
        assert_eq!((own.name.as_str(), own.training.epochs), ("mine", 99));
        assert_eq!(own.training.batch, base.training.batch);
        assert_eq!((own.input.features.hop, own.input.frames), (512, 660));
        assert_eq!(own.architecture, base.architecture);
        assert!(own.claimed.is_empty() && !base.claimed.is_empty());
        assert_eq!(own.notes.len(), base.notes.len() + 1);
        assert_eq!(own.notes.last().unwrap(), "longer");
        let whole = own.to_toml().unwrap();
        assert_eq!(
            parse(&whole).unwrap(),
            own,
            "a run's copy needs no other recipe"
        );
    }

    #[test]
    fn a_table_of_another_kind_is_replaced() {
        let sgd = "{ kind = 'sgd', momentum = 0.9 }";
        let own = parse(&format!(
            "like = 'ajufo-cnn'\n[training]\noptimizer = {sgd}\n[input.features]\nkind = 'stft'"
        ));
        let own = own.unwrap();
        assert_eq!(own.training.optimizer.name(), "sgd");
        assert_eq!(
            own.input.features.hop, 512,
            "librosa's, not the base's 1024"
        );
    }

    #[test]
    fn mistakes_are_told() {
        for (text, problem) in [
            ("like = 'ajufo-cn'", "did you mean \"ajufo-cnn\"?"),
            ("like = 3", "no shipped recipe"),
            ("like = 'ajufo-cnn'\n[training]\nepocs = 3", "epocs"),
            ("like = 'ajufo-cnn'\n[training", "line 2"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                error.contains("mine.toml") && error.contains(problem),
                "{error}"
            );
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
