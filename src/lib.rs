//! Diorama: a scale model of a Kubernetes cluster.
//!
//! The library is the model and holds no web code: it builds natively and for wasm32 alike, and
//! only `view` (wasm32) knows that there is a browser. Each room imports only from the rooms above
//! it in this list; `tests/tidy.rs` keeps the order. ARCHITECTURE.md is the way in.

pub mod base;

pub mod pattern;

pub mod api;

pub mod manifest;

pub mod store;

pub mod net;

pub mod container;

pub mod proxy;

pub mod scheduler;

pub mod controllers;

pub mod kubelet;

pub mod trace;

pub mod text;

pub mod telling;

pub mod programs;

pub mod addons;

pub mod world;

pub mod kubectl;

pub mod console;

pub mod session;

pub mod present;

#[cfg(target_arch = "wasm32")]
pub mod view;
