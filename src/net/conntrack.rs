//! What a machine remembers of connections.
