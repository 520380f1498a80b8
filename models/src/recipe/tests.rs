//! Recipes as files: read, changed by name, refused with the line.

use super::*;

#[test]
fn shipped_recipes_are_sound_and_survive_toml() {
    let names: Vec<&str> = SHIPPED.iter().map(|recipe| recipe.0).collect();
    assert!(names.is_sorted());
    for (recipe, name) in shipped().unwrap().into_iter().zip(names) {
        assert_eq!(recipe.name, name);
        let again = Recipe::parse(&recipe.to_toml().unwrap(), Path::new(name)).unwrap();
        assert_eq!(again, recipe);
    }
}

#[test]
fn optimizers_are_names_or_tables() {
    let spelt = |optimizer: &str| {
        let own = format!("optimizer = {optimizer}\nclip_norm = 1.0\nlabel_smoothing = 0.1");
        let text = SHIPPED[0].1.replace("optimizer = \"adam\"", &own);
        Recipe::parse(&text, Path::new("mine.toml"))
    };
    for (optimizer, name) in [
        ("\"adamw\"", "adamw"),
        ("{ kind = \"sgd\", momentum = 0.9, nesterov = true }", "sgd"),
        ("{ kind = \"rmsprop\" }", "rmsprop"),
    ] {
        let recipe = spelt(optimizer).unwrap();
        recipe.check().unwrap();
        assert_eq!(recipe.training.optimizer.name(), name);
        assert_eq!(recipe.training.clip_norm, Some(1.0));
        let again = Recipe::parse(&recipe.to_toml().unwrap(), Path::new("again")).unwrap();
        assert_eq!(again, recipe);
    }
    for (optimizer, problem) in [
        ("\"adm\"", "adamw"),
        ("{ kind = \"sgd\", beta1 = 0.9 }", "beta1"),
        ("{ kind = \"sgd\", nesterov = true }", "momentum"),
    ] {
        let error = spelt(optimizer).and_then(|recipe| recipe.check());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(problem) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn unknown_names_get_the_nearest() {
    let hint = |name: &str| Recipe::load(name).unwrap_err().hint().unwrap();
    assert!(hint("ajufo-cn").contains("\"ajufo-cnn\""));
    assert!(hint("Georgopulos-CNN").contains("\"georgopoulos-cnn\""));
    assert!(!hint("xyz").contains("did you mean"));
    assert!(
        Recipe::load("no/such.toml")
            .unwrap_err()
            .to_string()
            .contains("no/such.toml")
    );
}

#[test]
fn mistakes_are_told_with_their_line() {
    let text = SHIPPED[0].1.replace("[input]", "[input]\nframse = 3");
    let error = Recipe::parse(&text, Path::new("mine.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("mine.toml: line ") && error.contains("framse") && !error.contains('\n'),
        "{error}"
    );
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let mut recipe = Recipe::load("ajufo-cnn").unwrap();
    recipe.training.epochs = 0;
    assert!(
        recipe
            .check()
            .unwrap_err()
            .to_string()
            .contains("training.epochs")
    );
    let mut recipe = Recipe::load("ajufo-cnn").unwrap();
    recipe.input.frames = 0;
    assert!(
        recipe
            .check()
            .unwrap_err()
            .to_string()
            .contains("input.frames")
    );
}

/// The example of the page that tells how recipes are written.
#[test]
fn the_page_has_a_recipe_that_is_one() {
    let page = include_str!("../../../docs/recipes.md");
    let (_, text) = page.split_once("```toml\n").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let recipe = Recipe::parse(text, Path::new("mine.toml")).unwrap();
    assert_eq!(recipe.input.shape(), [1, 96, 128]);
    recipe.architecture_for(3).unwrap();
    let ends = text.replace("\n]\n", "\n  { kind = \"Softmax\" },\n]\n");
    let ends = Recipe::parse(&ends, Path::new("mine.toml")).unwrap();
    let error = ends.architecture_for(3).unwrap_err().to_string();
    assert!(error.contains("takes logits"), "{error}");
}
