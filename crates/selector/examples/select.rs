//! Selects labels given on the command line, as `kubectl get -l` selects objects. Needs no cluster.
//!
//! ```text
//! $ cargo run -p trimtab-selector --example select -- 'app in (web,shop),!paused' app=web,env=prod app=db
//! app in (shop,web),!paused
//! app=web,env=prod: selected
//! app=db: not selected
//! ```

use trimtab_selector::{Selector, SelectorError};

fn main() -> Result<(), SelectorError> {
    let mut arguments = std::env::args().skip(1);
    let selector: Selector = arguments.next().unwrap_or_else(|| "app=web,!paused".to_owned()).parse()?;
    println!("{selector}");
    for object in arguments {
        let label = |key: &str| {
            object.split(',').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key)
        };
        let is_selected = selector.matches(|key| label(key).map(|(_, value)| value));
        println!("{object}: {}", if is_selected { "selected" } else { "not selected" });
    }
    Ok(())
}
