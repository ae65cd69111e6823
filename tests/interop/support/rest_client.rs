//! The REST client of jambonz (`node/client.js`).

use std::process::Command;

use serde_json::{Value, json};

use super::program::{self, Program};
use super::scene::Scene;
use super::switch::{ACCOUNT, ADMIN_TOKEN, Switch};
use super::wait_for;

/// See the module.
#[derive(Debug)]
pub(crate) struct RestClient(Program);

impl RestClient {
    /// Starts one for this switch, whose configuration has [`ADMIN_TOKEN`].
    pub(crate) fn start(scene: &Scene, switch: &Switch) -> RestClient {
        let url = format!("http://{}", switch.http);
        let about = json!({ "url": url, "account": ACCOUNT, "token": ADMIN_TOKEN });
        let mut command = Command::new("node");
        command.env("NODE_PATH", program::installed("node").join("node_modules"));
        command.arg(program::script("node/client.js")).arg(about.to_string());
        RestClient(Program::start("client", &scene.folder, &mut command))
    }

    /// Calls a method, such as `create` of `calls`, and gives what it gives; its message where it
    /// throws.
    pub(crate) fn asks(&mut self, of: &str, method: &str, with: &Value) -> Result<Value, String> {
        let before = self.0.events("result").len();
        self.0.does(&json!({ "of": of, "do": method, "with": with }));
        let told =
            wait_for(&format!("{of}.{method}"), || self.0.events("result").into_iter().nth(before));
        match told["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(told["result"].clone()),
        }
    }

    /// The same, which must succeed.
    pub(crate) fn does(&mut self, of: &str, method: &str, with: &Value) -> Value {
        let result = self.asks(of, method, with);
        result.unwrap_or_else(|error| panic!("{of}.{method} of {with}: {error}"))
    }
}
