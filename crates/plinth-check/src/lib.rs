//! Checks with evidence: preflight and acceptance.
