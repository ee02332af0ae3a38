//! Long documentation, for people who want to know why: modules without code, there in the docs only.

pub mod design;
pub mod limitations;
pub mod model_checking;
pub mod orderings;
