//! The cluster sink on a real server: what is promised of leases, fences, versions and answers, seen from outside.

mod indices;
mod leases;
mod world;
mod writing;
