//! Webhooks: requests out, verb lists in.
