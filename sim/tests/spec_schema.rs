//! The published JSON Schema is the one the types give. `BLIS_BLESS=1` writes it anew.

use blis_sim::spec::json_schema;

#[test]
fn the_published_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/spec.schema.json");
    let generated = json_schema();
    if std::env::var_os("BLIS_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path, &generated).expect("the schema can be written");
    }
    let published = std::fs::read_to_string(path).expect("the schema is published");
    assert!(
        published == generated,
        "specs/spec.schema.json is out of date: run the tests with BLIS_BLESS=1"
    );
}
