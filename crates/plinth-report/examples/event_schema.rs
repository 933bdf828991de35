//! Prints the JSON Schema of one event of the stream; `cargo xtask docs` keeps it as a reference page.

fn main() {
    println!("{:#}", schemars::schema_for!(plinth_model::Event).to_value());
}
