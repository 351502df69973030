//! How a packet passes the rules of a machine.
