use super::*;
use approx::abs_diff_eq;

/// The losses that the goldens' plateaus watch; accuracies are their negatives, moved above 0.
fn history(losses: &[f64]) -> Vec<EpochRow> {
    let row = |(epoch, &loss): (usize, &f64)| EpochRow {
        epoch: epoch + 1,
        validation_loss: Some(loss),
        validation_accuracy: Some(10.0 - loss),
        ..Default::default()
    };
    losses.iter().enumerate().map(row).collect()
}

/// `tests/goldens/schedules.json` by PyTorch: schedules as recipes spell them, and the rate of every step.
#[test]
fn rates_are_pytorchs() {
    let text = include_str!("../../../../tests/goldens/schedules.json");
    let golden: serde_json::Value = serde_json::from_str(text).unwrap();
    let numbers =
        |value: &serde_json::Value| -> Vec<f64> { serde_json::from_value(value.clone()).unwrap() };
    let base = golden["learning_rate"].as_f64().unwrap();
    let steps = golden["steps"].as_u64().unwrap() as usize;
    let history = history(&numbers(&golden["losses"]));
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() >= 12);
    for case in cases {
        let schedule: Schedule = serde_json::from_value(case["schedule"].clone()).unwrap();
        schedule.check(base).unwrap();
        let rates = numbers(&case["rates"]);
        assert_eq!(rates.len(), history.len() * steps);
        for (step, &wanted) in rates.iter().enumerate() {
            let at = Moment {
                history: &history[..step / steps],
                step: step as u64,
                steps,
                epochs: history.len(),
            };
            let rate = schedule.rate(base, &at);
            assert!(
                abs_diff_eq!(rate, wanted, epsilon = 1e-12 * base),
                "{schedule:?}, step {step}: {rate}, PyTorch {wanted}"
            );
        }
    }
}

#[test]
fn odd_lengths_give_sound_rates() {
    let all = ["plateau", "step", "cosine", "one-cycle", "cyclical"];
    for kind in all {
        let schedule: Schedule =
            serde_json::from_value(serde_json::json!({ "kind": kind })).unwrap();
        schedule.check(0.1).unwrap();
        for (epochs, steps) in [(1, 1), (1, 2), (1, 3), (2, 5), (7, 1)] {
            let rows = history(&vec![1.0; epochs]);
            for step in 0..epochs * steps {
                let at = Moment {
                    history: &rows[..step / steps],
                    step: step as u64,
                    steps,
                    epochs,
                };
                let rate = schedule.rate(0.1, &at);
                assert!(
                    (0.0..=0.1 + 1e-12).contains(&rate),
                    "{kind} {epochs} {steps}"
                );
            }
        }
    }
}

#[test]
fn values_out_of_range_are_named() {
    let cases = [
        (r#"{"kind": "plateau", "factor": 1.0}"#, "factor = 1"),
        (r#"{"kind": "plateau", "min_lr": 0.2}"#, "min_lr"),
        (r#"{"kind": "plateau", "threshold": -1.0}"#, "threshold"),
        (r#"{"kind": "step", "step_size": 0}"#, "step_size"),
        (r#"{"kind": "step", "gamma": 0.0}"#, "gamma"),
        (r#"{"kind": "cosine", "t_max": 0}"#, "t_max"),
        (r#"{"kind": "cosine", "eta_min": 1.0}"#, "eta_min"),
        (r#"{"kind": "one-cycle", "pct_start": 1.0}"#, "pct_start"),
        (r#"{"kind": "one-cycle", "div_factor": 0.5}"#, "div_factor"),
        (r#"{"kind": "cyclical", "step_size": 0.0}"#, "step_size"),
        (r#"{"kind": "cyclical", "gamma": 2.0}"#, "gamma"),
    ];
    for (text, name) in cases {
        let schedule: Schedule = serde_json::from_str(text).unwrap();
        let error = schedule.check(0.1).unwrap_err().to_string();
        assert!(
            error.starts_with("training.schedule: ") && error.contains(name),
            "{error}"
        );
    }
    for text in [r#"{"kind": "cosin"}"#, r#"{"kind": "step", "size": 3}"#] {
        serde_json::from_str::<Schedule>(text).unwrap_err();
    }
}
