//! The committed schemas are those of the types, and say of each field what its comment says.

#[path = "../examples/schema.rs"]
#[allow(dead_code, unreachable_pub)]
mod schema;

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    for (file, text) in schema::generate() {
        let path = schema::folder().join(file);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "{} is not what the types make: run `scripts/schema` and commit it",
            path.display()
        );
    }
}

#[test]
fn every_definition_and_field_is_described() {
    for (file, text) in schema::generate() {
        let root: serde_json::Value = serde_json::from_str(&text).unwrap();
        let definitions = root["$defs"].as_object().unwrap();
        for (name, definition) in definitions {
            let fields = definition["properties"].as_object();
            for (field, is) in fields.into_iter().flatten() {
                assert!(is["description"].is_string(), "{file}: {name}.{field} says nothing");
            }
        }
    }
}
