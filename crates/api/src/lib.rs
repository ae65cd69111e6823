//! The HTTP side: health and the schema of the verbs.
