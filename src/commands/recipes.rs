//! `melgrad recipes`

use crate::failure::Failure;
use crate::terminal;
use clap::Args;
use melgrad::models::recipe::{self, Listing};
use std::fmt::Write;

/// List the recipes that ship with the program, with the figures that their papers claim
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  melgrad train --data music --recipe ajufo-cnn --out run\n  melgrad reproduce ajufo-cnn --data music"
)]
pub struct Recipes {
    /// Print one JSON document: a list of {"name", "paper", "dataset", "classes", "network", "claimed"}
    #[arg(long)]
    json: bool,
}

impl Recipes {
    pub fn run(self) -> Result<(), Failure> {
        let listings: Vec<Listing> = recipe::shipped()?
            .iter()
            .map(recipe::Recipe::listing)
            .collect();
        match self.json {
            true => terminal::print_json(&listings),
            false => terminal::print(&listings.iter().map(text).collect::<Vec<_>>().join("\n")),
        }
    }
}

fn text(listing: &Listing) -> String {
    let mut text = format!("{}\n", listing.name);
    let claimed: Vec<String> = listing
        .claimed
        .iter()
        .map(|(name, figure)| format!("{name} {figure}"))
        .collect();
    let claimed = if claimed.is_empty() {
        "nothing".into()
    } else {
        claimed.join(", ")
    };
    let classes = listing.classes.map_or("any".into(), |n| n.to_string());
    let fields = [
        ("paper", &listing.paper),
        ("dataset", &listing.dataset),
        ("classes", &classes),
        ("network", &listing.network),
        ("claimed", &claimed),
    ];
    for (name, value) in fields {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {name:<8} {value}");
    }
    text
}
