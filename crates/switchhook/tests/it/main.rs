//! The configuration and the commands `check` and `simulate` from outside.

mod capacity;
mod check_command;
mod configuration_faults;
mod configuration_values;
mod environment_overrides;
mod fixed_lists;
mod generated_secrets;
mod hostile_text;
mod provisioning;
mod reading;
mod rest_reaches_calls;
mod scenario_faults;
mod simulate_command;
mod sounds;
