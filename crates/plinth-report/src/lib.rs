//! Events become terminal lines, a live view, NDJSON and a summary.
