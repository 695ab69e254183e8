//! Options whose value no error repeats: what clap says of a wrong value ends in logs, and shows the value.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

/// Reads a `T` from its text.
#[derive(Clone)]
pub(super) struct Unshown<T>(PhantomData<T>);

/// A parser of such values.
pub(super) fn unshown<T>() -> Unshown<T> {
    Unshown(PhantomData)
}

impl<T: FromStr<Err = String> + Clone + Send + Sync + 'static> TypedValueParser for Unshown<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, option: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let read = value.to_str().ok_or_else(|| "is not UTF-8".to_string()).and_then(str::parse);
        read.map_err(|problem| {
            let option = option.map(Arg::to_string).unwrap_or_default();
            Error::raw(ErrorKind::ValueValidation, format!("the value of '{option}' {problem}\n")).with_cmd(command)
        })
    }
}
