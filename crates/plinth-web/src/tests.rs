//! Tests of the whole, without a socket.
