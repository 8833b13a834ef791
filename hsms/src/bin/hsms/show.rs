//! Messages on standard output.

use std::io::{self, Write};

use hsms::sml::SmlMessage;
use hsms::{Item, Message};

/// Prints a block of text with a line end, at once.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}")?;
    output.flush()
}

/// A message as SML; what SML can't say is a comment.
pub(crate) fn sml(message: &Message) -> String {
    let header = &message.header;
    if !header.is_data() || header.p_type() != 0 {
        return format!("// {}", head(message));
    }
    let item = if message.text.is_empty() {
        Ok(None)
    } else {
        Item::parse(message.text.clone()).map(Some)
    };
    match item {
        Ok(item) => SmlMessage::new(header.stream_function(), header.w(), item).to_string(),
        Err(error) => format!(
            "// {}\n// the text of {} bytes is no item: {error}",
            head(message),
            message.text.len()
        ),
    }
}

/// What SML does not say: the header.
pub(crate) fn head(message: &Message) -> String {
    let header = &message.header;
    if header.is_data() {
        format!("header: {header}")
    } else {
        format!("{} header: {header}", header.s_type())
    }
}
