//! The tests in `tests/workqueue` once more: in unit tests every table counts as large, so that adds wait for a batch.

#[path = "../tests/workqueue/consumer.rs"]
mod consumer;
#[path = "../tests/workqueue/delay.rs"]
mod delay;
#[path = "../tests/workqueue/hand_over.rs"]
mod hand_over;
#[path = "../tests/workqueue/misuse.rs"]
mod misuse;
#[path = "../tests/workqueue/model.rs"]
mod model;
#[path = "../tests/workqueue/order.rs"]
mod order;
#[path = "../tests/workqueue/queue.rs"]
mod queue;
