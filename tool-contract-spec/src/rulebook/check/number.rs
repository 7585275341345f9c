//! Numbers and their ranges (TC0006).

use std::ops::RangeInclusive;

use super::declared::Declared;
use super::voice::Voice;
use crate::draft::Located;
use crate::policy::Retry;
use crate::rulebook::{Code, Finding};

/// TC0006: a number is within its range.
pub(super) fn within<At: Clone>(
    range: RangeInclusive<u32>,
    name: &str,
    voice: Voice<'_>,
    written: &Located<u64, At>,
) -> Result<u32, Finding<At>> {
    let number = u32::try_from(written.value).ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let (least, most) = range.into_inner();
        // A draft holds `u64::MAX` for all that does not fit.
        let number = match written.value {
            u64::MAX => "too large".to_owned(),
            number => number.to_string(),
        };
        let (bounds, help) = if most == u32::MAX {
            (format!("at least {least}"), voice.assign_number(name, &least.max(1).to_string()))
        } else {
            (format!("{least} to {most}"), voice.assign_number(name, &(most.min(3)).to_string()))
        };
        let message = format!("`{name}` of `{}` is {number}; it is {bounds}", voice.tool);
        Finding::new(Code::NUMBER_OUT_OF_RANGE, written.at.clone(), message, format!("write for instance `{help}`"))
    })
}

/// TC0006: a key may be attempted at least as often as one call attempts it.
pub(super) fn total_below_max<At: Clone>(tool: &Declared<'_, At>) -> Option<Finding<At>> {
    let retry = &tool.retry.given()?.value;
    let (max, total) = (retry.max.given()?.value, retry.max_total.given()?);
    (total.value < max).then(|| {
        let name = tool.voice.say("max", "max_attempts");
        let message = format!(
            "`max_total` of `{}` is {}, below its `{name}` of {max}: the attempts of one call count among those of its key",
            tool.voice.tool, total.value
        );
        let fitting = Retry::DEFAULT_TOTAL.max(max);
        let help = format!("write for instance `{}`", tool.voice.assign_number("max_total", &fitting.to_string()));
        Finding::new(Code::NUMBER_OUT_OF_RANGE, total.at.clone(), message, help)
    })
}
