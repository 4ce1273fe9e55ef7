//! [`FeatureGatesFlag`]: `--feature-gates` for programs that use clap (feature `clap`).

use std::{ffi::OsStr, fmt, marker::PhantomData};

use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches,
    builder::{PossibleValue, TypedValueParser},
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    error::{Problem, SetError},
    gate::GateSet,
    parse,
    registry::FeatureGates,
};

const FLAG: &str = "feature-gates";

/// The flag `--feature-gates`, to flatten into a program's options.
///
/// Its help lists the gates of the registry installed for `S`, so install that registry first. Parsing checks
/// and completes names and booleans; [`apply`](Self::apply) checks everything that depends on the emulation
/// version.
///
/// ```
/// # mod features {
/// #     trimtab_featuregate::gates! {
/// #         /// The gates of the example.
/// #         pub set Features;
/// #         /// Reads long lists as a stream.
/// #         pub STREAMING_LISTS = "StreamingLists" { 1.35 => Alpha, off }
/// #     }
/// # }
/// use clap::Parser;
/// use trimtab_featuregate::{FeatureGates, FeatureGatesFlag, Version};
///
/// #[derive(Parser)]
/// struct Options {
///     #[command(flatten)]
///     feature_gates: FeatureGatesFlag<features::Features>,
/// }
///
/// let gates = FeatureGates::builder("web", Version::new(1, 35)).gates::<features::Features>().build()?;
/// gates.install();
/// let options = Options::try_parse_from(["web", "--feature-gates=StreamingLists=true"])?;
/// options.feature_gates.apply(&gates)?;
/// assert!(features::STREAMING_LISTS.enabled());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FeatureGatesFlag<S> {
    text: String,
    set: PhantomData<fn() -> S>,
}

impl<S: GateSet> FeatureGatesFlag<S> {
    /// Sets the gates that the flag lists.
    ///
    /// # Errors
    ///
    /// As [`FeatureGates::set_from_flag`].
    pub fn apply(&self, gates: &FeatureGates) -> Result<(), SetError> {
        gates.set_from_flag(&self.text)
    }

    fn argument() -> Arg {
        let gates = S::gates();
        gates.close(); // the help shows the defaults
        let help = "A set of key=value pairs that describe feature gates for alpha/experimental features.";
        Arg::new(FLAG)
            .long(FLAG)
            .value_name("GATE=BOOL,...")
            .action(ArgAction::Append)
            .value_delimiter(',')
            .value_parser(gates.value_parser())
            .hide_possible_values(true)
            .help(help)
            .long_help(format!("{help} Options are:\n{}", gates.known().join("\n")))
    }
}

impl<S> fmt::Debug for FeatureGatesFlag<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FeatureGatesFlag").field(&self.text).finish()
    }
}

impl<S> Clone for FeatureGatesFlag<S> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), set: PhantomData }
    }
}

impl<S: GateSet> Args for FeatureGatesFlag<S> {
    fn augment_args(command: Command) -> Command {
        command.arg(Self::argument())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: GateSet> FromArgMatches for FeatureGatesFlag<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let settings: Vec<_> = matches.get_many::<String>(FLAG).into_iter().flatten().cloned().collect();
        Ok(Self { text: settings.join(","), set: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let update = Self::from_arg_matches(matches)?;
        if !update.text.is_empty() {
            *self = update;
        }
        Ok(())
    }
}

/// Parses and completes one setting, `StreamingLists=true`. [`FeatureGates::value_parser`] returns one.
#[derive(Debug, Clone)]
pub struct FeatureGatesParser {
    gates: FeatureGates,
}

impl FeatureGates {
    /// Returns a parser of single settings of these gates, for a custom [`Arg`].
    pub fn value_parser(&self) -> FeatureGatesParser {
        FeatureGatesParser { gates: self.clone() }
    }

    /// Returns the problem with `name` if no gate is called that.
    fn unknown(&self, name: &str) -> Option<Problem> {
        let locked = self.lock();
        locked.state.find(name).is_none().then(|| locked.state.unknown_name(name))
    }
}

impl TypedValueParser for FeatureGatesParser {
    type Value = String;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        let text = value.to_str().ok_or_else(|| Error::new(ErrorKind::InvalidUtf8).with_cmd(command))?;
        if text.is_empty() {
            return Ok(String::new());
        }
        match parse::setting(text).map(|(name, _)| self.gates.unknown(name)) {
            Ok(None) => Ok(text.to_owned()),
            Ok(Some(problem)) | Err(problem) => {
                let mut error = Error::new(ErrorKind::ValueValidation).with_cmd(command);
                error.insert(ContextKind::InvalidArg, ContextValue::String(format!("--{FLAG}")));
                error.insert(ContextKind::InvalidValue, ContextValue::String(format!("{text}: {problem}")));
                Err(error)
            }
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names = self.gates.snapshot().gates.into_iter();
        let settable = names.filter(|gate| gate.since.is_some() && !gate.locked);
        Some(Box::new(settable.flat_map(|gate| {
            [true, false].map(|value| {
                let help = gate.description.lines().next().unwrap_or_default().trim().to_owned();
                PossibleValue::new(format!("{}={value}", gate.gate)).help(help)
            })
        })))
    }
}
