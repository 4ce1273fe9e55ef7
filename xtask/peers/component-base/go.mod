module trimtab.rs/peers/component-base

go 1.26
