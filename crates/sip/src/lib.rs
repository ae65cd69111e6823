//! The SIP stack without input or output: messages, transactions, dialogs.
