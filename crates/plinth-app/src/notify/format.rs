//! A message in the form that the other side reads. Limits: Slack takes 50 blocks, 3,000 characters in a section and about 13,000 in all
//! (its reference, and bolt-js#2509); Teams a card of 28 kB (its reference for workflows). Ours are far below both.

use super::notice::Notice;
use plinth_site::desired::WebhookFormat;
use serde_json::{Value, json};

/// Characters of a section, escaped.
const SECTION: usize = 2_900;

/// The body to post.
pub(super) fn body(notice: &Notice, format: WebhookFormat) -> Vec<u8> {
    let body = match format {
        WebhookFormat::Json => serde_json::to_value(notice).unwrap_or_default(),
        WebhookFormat::Slack => slack(notice),
        WebhookFormat::Teams => teams(notice),
    };
    body.to_string().into_bytes()
}

fn slack(notice: &Notice) -> Value {
    let section = |text: String| json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    let mut blocks = vec![section(format!("*{}*", one(&notice.brief)))];
    if !notice.lines.is_empty() {
        let lines: Vec<String> = notice.lines.iter().map(|line| format!("• {}", one(line))).collect();
        blocks.push(section(within(&lines, SECTION)));
    }
    let who = if notice.by.is_empty() { String::new() } else { format!(" · {}", one(&notice.by)) };
    let context = format!("run {}{who} · {:.0}", one(&notice.run), notice.at);
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": context}]}));
    json!({"text": one(&notice.brief), "blocks": blocks})
}

/// Text of others for Slack: `&`, `<` and `>` would be its own signs, and the others its markup: a channel is not called by a node.
fn one(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Looks the same and is no markup.
            '*' => out.push('∗'),
            '_' => out.push_str("_\u{2060}"),
            '`' => out.push('ˋ'),
            '~' => out.push('∼'),
            c => out.push(c),
        }
    }
    out
}

/// As many lines as fit; the rest is counted.
fn within(lines: &[String], limit: usize) -> String {
    let mut text = String::new();
    for (told, line) in lines.iter().enumerate() {
        if text.chars().count() + line.chars().count() + 40 > limit {
            return format!("{text}and {} more lines", lines.len() - told);
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Runs of plain text: nothing in them is markup.
fn teams(notice: &Notice) -> Value {
    let text = |text: &str, bold: bool| {
        let weight = if bold { "Bolder" } else { "Default" };
        json!({"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, "weight": weight}]})
    };
    let mut blocks = vec![text(&notice.brief, true)];
    blocks.extend(notice.lines.iter().map(|line| text(line, false)));
    blocks.push(text(&format!("run {} · {} · {:.0}", notice.run, notice.by, notice.at), false));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": blocks,
            },
        }],
    })
}
