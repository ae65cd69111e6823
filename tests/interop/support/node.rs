//! An application made with the client library of jambonz (`node/application.js`).

use std::process::Command;

use serde_json::{Value, json};

use super::program::{self, Program};
use super::scene::{ANOTHER_APPLICATION, Scene};
use super::wait_for;

/// See the module.
#[derive(Debug)]
pub(crate) struct NodeApplication {
    program: Program,
    origin: String,
}

impl NodeApplication {
    /// Starts one that verifies signatures with this secret, and asks for these credentials,
    /// `user:password`, unless they are empty.
    pub(crate) fn start(scene: &Scene, secret: &str, credentials: &str) -> NodeApplication {
        let ip = scene.network.ip(ANOTHER_APPLICATION);
        let about = json!({ "ip": ip, "secret": secret, "credentials": credentials });
        let mut command = Command::new("node");
        command.env("NODE_PATH", program::installed("node").join("node_modules"));
        command.arg(program::script("node/application.js")).arg(about.to_string());
        let program = Program::start("node", &scene.folder, &mut command);
        let port = &program.tells("ready")["port"];
        NodeApplication { origin: format!("http://{ip}:{port}"), program }
    }

    /// `http://address` with this path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// From now on requests for this path get these verbs, pairs of a method of the library and
    /// its argument.
    pub(crate) fn runs(&mut self, path: &str, list: &Value) {
        self.program.does(&json!({ "path": path, "list": list }));
        wait_for("the application to know its list", || {
            self.program.events("told").iter().find(|told| told["path"] == path).map(|_| ())
        });
    }

    /// Every request for this path so far.
    pub(crate) fn requests(&self, path: &str) -> Vec<Value> {
        let mut requests = self.program.events("request");
        requests.retain(|request| request["path"] == path);
        requests
    }

    /// Waits for a request for this path, and gives the first.
    pub(crate) fn is_asked(&self, path: &str) -> Value {
        wait_for(&format!("a request for {path}"), || self.requests(path).into_iter().next())
    }
}
