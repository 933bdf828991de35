//! How plans are kept: packed. A plan says much of each node that it says of the next one too, so what is written is a twentieth of its
//! text, and the text never stands in memory as a whole.

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use plinth_model::Plan;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use std::io::{BufWriter, Read as _, Write as _};

/// What packed bytes begin with (RFC 1952); the text of a plan begins with a brace.
const PACKED: [u8; 2] = [0x1f, 0x8b];
/// Largest text of a plan that is read, bytes: of a hundred times as many nodes as were ever tried. A damaged journal does not fill the memory.
const LARGEST: u64 = 1 << 32;
/// Bytes that are packed at a time.
const PIECE: usize = 64 * 1024;

/// Turns the table of schema 5, which held texts, into one of packed plans. What is there stays a text, and in its order.
pub(super) const MIGRATION: &str = "
CREATE TABLE packed (hash TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
INSERT INTO packed SELECT hash, CAST(body AS BLOB) FROM plans ORDER BY rowid;
DROP TABLE plans;
ALTER TABLE packed RENAME TO plans;
";

/// What is written of a plan.
pub(super) fn pack(plan: &Plan) -> std::io::Result<Vec<u8>> {
    let mut pieces = BufWriter::with_capacity(PIECE, GzEncoder::new(Vec::new(), Compression::fast()));
    serde_json::to_writer(&mut pieces, plan)?;
    pieces.flush()?;
    pieces.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()
}

/// The text of a plan as it is read from its row, packed or not.
pub(super) struct Text(pub(super) String);

impl FromSql for Text {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = match value {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
            _ => return Err(FromSqlError::InvalidType),
        };
        let mut text = String::new();
        let read = if bytes.starts_with(&PACKED) {
            GzDecoder::new(bytes).take(LARGEST).read_to_string(&mut text)
        } else {
            let mut bytes = bytes;
            bytes.read_to_string(&mut text)
        };
        read.map(|_| Self(text)).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}
