"""A simulated year of a city's invoices, seeded: for benchmarks, charts and trying things out."""
