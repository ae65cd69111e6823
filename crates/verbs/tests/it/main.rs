//! The application language as its users see it: text in, verbs or located faults out.

#[test]
fn schema_print() {
    println!("{}", serde_json::to_string_pretty(&verbs::schema()).unwrap());
}
