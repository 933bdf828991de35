//! References to secrets. A secret itself is never accepted, and never repeated in a message.

use super::rules::check_file;
use crate::decode::refusal_text;
use plinth_model::SecretRef;
use plinth_model::finding::code;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// How to write a reference; the fix of every finding about one.
pub(crate) const HOW: &str = "write where the secret is found: `{env: NAME}`, `{file: PATH}` or `{exec: [PROGRAM, ARGUMENT]}`; change the secret if the file was shared";

/// Where a secret is found: an environment variable, a file, or the output of a program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SecretSource(pub(crate) SecretRef);

/// Whether a text can name an environment variable.
pub(crate) fn is_variable(name: &str) -> bool {
    let begins = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    name.bytes().next().is_some_and(begins) && name.bytes().all(|b| begins(b) || b.is_ascii_digit())
}

fn literal<E: Error>() -> E {
    E::custom(refusal_text(
        code::SITE_LITERAL_SECRET,
        "a secret stands here itself; plinth never reads secrets from the site file",
        HOW,
    ))
}

fn malformed<E: Error>(message: &str) -> E {
    E::custom(refusal_text(code::SITE_SECRET_REFERENCE, message, HOW))
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference to a secret")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<SecretSource, E> {
        Err(literal())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<SecretSource, E> {
        Err(literal())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<SecretSource, E> {
        Err(literal())
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<SecretSource, E> {
        Err(literal())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<SecretSource, E> {
        Err(literal())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<SecretSource, E> {
        Err(literal())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<SecretSource, A::Error> {
        Err(malformed("a list is not a reference to a secret"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if found.is_some() {
                return Err(malformed("a secret has one place: exactly one of `env`, `file`, `exec`"));
            }
            found = Some(match key.as_str() {
                "env" => map.next_value::<Variable>()?.0,
                "file" => map.next_value::<SecretFile>()?.0,
                "exec" => map.next_value::<Program>()?.0,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    return Err(malformed("a reference to a secret has exactly one of the keys `env`, `file`, `exec`"));
                }
            });
        }
        found
            .map(SecretSource)
            .ok_or_else(|| malformed("the reference is empty: nothing says where the secret is found"))
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct Variable(SecretRef);

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if is_variable(&name) {
            return Ok(Self(SecretRef::Env(name)));
        }
        Err(malformed(
            "this cannot be the name of an environment variable: letters, digits and `_` only, no digit first",
        ))
    }
}

struct SecretFile(SecretRef);

impl<'de> Deserialize<'de> for SecretFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = String::deserialize(deserializer)?;
        if path.trim().is_empty() || path.contains(['\n', '\r']) {
            return Err(malformed("this cannot be the name of a file"));
        }
        check_file(&path)
            .map_err(|refusal| D::Error::custom(refusal_text(refusal.code, &refusal.message, &refusal.fix)))?;
        Ok(Self(SecretRef::File(path)))
    }
}

struct Program(SecretRef);

impl<'de> Deserialize<'de> for Program {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let argv = Vec::<String>::deserialize(deserializer)?;
        if argv.first().is_none_or(|program| program.trim().is_empty()) {
            return Err(malformed("no program is named"));
        }
        Ok(Self(SecretRef::Exec(argv)))
    }
}

impl JsonSchema for SecretSource {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("SecretSource")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where a secret is found: an environment variable, a file (its last line break is not part of the secret), or the output of a program run without a shell. Never the secret itself.",
            "oneOf": [
                {"type": "object", "properties": {"env": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "examples": ["NAME"]}},
                 "required": ["env"], "additionalProperties": false},
                {"type": "object", "properties": {"file": {"type": "string", "pattern": "^[^\\n\\r]+$"}},
                 "required": ["file"], "additionalProperties": false},
                {"type": "object", "properties": {"exec": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
                 "required": ["exec"], "additionalProperties": false}
            ]
        })
    }
}
