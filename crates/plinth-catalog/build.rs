//! A file added to the catalog must be seen: the compiler itself only watches the files that were there before.

fn main() {
    println!("cargo::rerun-if-changed=../../catalog");
}
