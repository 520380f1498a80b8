//! Changes one option of one layer, found by its path: `architecture.conv1.out_channels`.

use engine::Architecture;
use toml::{Table, Value};

/// Returns the layer's path and the option that a key names; `None` for other settings.
pub(super) fn field(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix("architecture.")?.rsplit_once('.')
}

/// Sets an option of the layer at `path`. An error is a text that says what is wrong.
pub(super) fn set(
    architecture: &mut Architecture,
    path: &str,
    field: &str,
    value: Value,
) -> Result<(), String> {
    let paths = architecture.layer_paths();
    let Some(layer) = architecture.layer_mut(path) else {
        let near = engine::nearest(path, paths.iter().map(String::as_str));
        let hint = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
        return Err(format!("no layer is called {path}{hint}"));
    };
    let one_line = |error: String| error.replace('\n', ", ");
    let mut table = Table::try_from(&*layer).map_err(|error| one_line(error.to_string()))?;
    if field == "kind" || field == "name" {
        return Err("a layer's kind and name stay".into());
    }
    table.insert(field.into(), value);
    let changed: Result<engine::Layer, toml::de::Error> = Value::Table(table).try_into();
    *layer = changed.map_err(|error| one_line(error.message().into()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Recipe;

    #[test]
    fn layers_are_found_by_their_paths() {
        let mut recipe = Recipe::load("ajufo-cnn").unwrap();
        let before = recipe.architecture_for(10).unwrap().summary().unwrap();
        recipe.set("architecture.conv2.out_channels", "32").unwrap();
        recipe
            .set("architecture.linear1.activation", "tanh")
            .unwrap();
        let after = recipe.architecture_for(10).unwrap().summary().unwrap();
        assert_eq!(after.layers[2].output[0], 32);
        assert!(after.parameters < before.parameters);
        let mut deep = Recipe::load("dwivedi-parallel").unwrap();
        let path = deep.architecture.layer_paths();
        let path = path
            .iter()
            .find(|path| path.contains("branch1/conv2"))
            .unwrap();
        deep.set(&format!("architecture.{path}.out_channels"), "7")
            .unwrap();
        let summary = deep.architecture_for(8).unwrap().summary().unwrap();
        let layer = summary
            .layers
            .iter()
            .find(|layer| layer.name == *path)
            .unwrap();
        assert_eq!(layer.output[0], 7);
    }

    #[test]
    fn mistakes_are_told_and_change_nothing() {
        let mut recipe = Recipe::load("ajufo-cnn").unwrap();
        let before = recipe.clone();
        for (key, value, words) in [
            ("architecture.conv3.out_channels", "3", "conv3"),
            ("architecture.conv1.out_chanels", "3", "out_chanels"),
            ("architecture.conv1.out_channels", "many", "many"),
            ("architecture.conv1.activation", "relo", "relo"),
            ("architecture.conv1.kind", "Linear", "stay"),
            ("architecture.conv1.", "3", "conv1"),
        ] {
            let error = recipe.set(key, value).unwrap_err().to_string();
            assert!(
                error.contains(words) && !error.contains('\n'),
                "{key}: {error}"
            );
            assert_eq!(recipe, before);
        }
    }
}
