//! The program `oneline`, from outside.
