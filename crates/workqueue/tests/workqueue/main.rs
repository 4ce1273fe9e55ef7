//! The tests of the queue that need no process of their own: one program, which is linked once.

mod consumer;
mod delay;
mod hand_over;
mod misuse;
mod model;
mod order;
mod parallelize;
mod queue;
