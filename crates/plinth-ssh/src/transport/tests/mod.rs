//! The SSH client against servers in this process.

mod bench;
mod exec;
mod garbage;
mod hosts;
mod logins;
mod push;
mod server;
