//! The recipes that ship with the program, as text.

/// Name and text of a recipe in `models/recipes`.
macro_rules! shipped {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../recipes/", $name, ".toml")),
        )
    };
}

/// The recipes that ship with the program: name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    shipped!("ajufo-cnn"),
    shipped!("ajufo-cnn-activations"),
    shipped!("ajufo-cnn-binary"),
    shipped!("ajufo-cnn-both"),
    shipped!("ajufo-cnn-units"),
    shipped!("ajufo-crnn"),
    shipped!("ajufo-crnn-activations"),
    shipped!("ajufo-crnn-binary"),
    shipped!("ajufo-crnn-both"),
    shipped!("ajufo-crnn-units"),
    shipped!("amin-cnn"),
    shipped!("amin-cnn-augmented"),
    shipped!("amin-dense"),
    shipped!("amin-progressive-1"),
    shipped!("amin-progressive-2"),
    shipped!("amin-vgg16"),
    shipped!("amin-vgg16-augmented"),
    shipped!("demo"),
    shipped!("dwivedi-crnn"),
    shipped!("dwivedi-parallel"),
    shipped!("floor-logistic"),
    shipped!("floor-neighbours"),
    shipped!("fma-baseline"),
    shipped!("georgopoulos-cnn"),
    shipped!("georgopoulos-gtzan"),
    shipped!("georgopoulos-lightgbm"),
    shipped!("georgopoulos-svm"),
    shipped!("georgopoulos-vote"),
    shipped!("georgopoulos-xgboost"),
    shipped!("melgrad-best"),
    shipped!("northrop-cnn"),
    shipped!("northrop-fcnn"),
    shipped!("veselinov-alexnet"),
    shipped!("veselinov-googlenet"),
    shipped!("veselinov-simple"),
    shipped!("veselinov-vgg"),
];
