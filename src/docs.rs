//! Long documentation, for people who want to know why: modules without code, which cost nothing.

pub mod design;
pub mod limitations;
pub mod model_checking;
pub mod orderings;
