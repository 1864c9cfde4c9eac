//! Tests of the closed forms: against exact figures computed elsewhere with many digits, against independent
//! computations (dense solutions of the balance equations, integration of the differential equations, integrals of the
//! distributions) and against each other where one model contains another.

mod arrivals;
mod bounds;
mod chains;
mod closed;
mod closed_networks;
mod loss;
mod networks;
mod numerics;
mod open;
mod scalability;
mod service;
mod sharing;
