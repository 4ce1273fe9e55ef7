//! Bodies in YAML: creations, updates, and answers in YAML.

use super::super::{dice::Dice, kinds::Kind, probe::Ask, yaml};
use super::create;

pub(super) fn draw(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let kind = Kind::any(dice);
    let present = kind.valid(dice, name);
    let mut object = present.clone();
    if dice.one_in(2) {
        create::change(dice, kind, &mut object, 1);
    }
    let body = yaml::document(dice, &object);
    let (given, method, path) = if dice.one_in(3) {
        let given = vec![Ask::create(kind.collection(), &present)];
        (given, "PUT", kind.object(name))
    } else {
        (Vec::new(), "POST", kind.collection())
    };
    let mut ask = Ask::sent(method, path, "application/yaml", body);
    if dice.one_in(5) {
        "application/yaml".clone_into(&mut ask.accept);
    }
    (given, ask)
}
