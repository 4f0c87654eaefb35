//! Writes `docs/schema` anew: `cargo run -p tcpstack-lab --example schema`.

use std::path::PathBuf;
use std::{fs, io};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use tcpstack::event::Event;
use tcpstack_lab::book::Book;
use tcpstack_lab::lesson::Lesson;
use tcpstack_lab::run::Run;

/// The name of each schema's file, and its text as the types have it now.
pub fn generate() -> Vec<(&'static str, String)> {
    let schemas = [
        // Of each line behind the first of a file of events.
        ("events.schema.json", of::<Event>()),
        ("run.schema.json", of::<Run>()),
        ("book.schema.json", of::<Book>()),
        ("lesson.schema.json", of::<Lesson>()),
    ];
    let text = |schema: &Schema| serde_json::to_string_pretty(schema).expect("a schema is JSON");
    schemas.iter().map(|(file, schema)| (*file, text(schema) + "\n")).collect()
}

/// What is written, rather than what is understood: old files lack what came later.
fn of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>()
}

/// Where they are.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/schema")
}

fn main() -> io::Result<()> {
    fs::create_dir_all(folder())?;
    generate().into_iter().try_for_each(|(file, text)| fs::write(folder().join(file), text))
}
