//! One call: its legs, its verb list, its timers and the dial machine.
