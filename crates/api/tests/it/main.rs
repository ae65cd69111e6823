//! The routes over a real connection.

mod routes;
