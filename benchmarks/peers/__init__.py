"""Scripts that run other libraries, in environments that have nothing of this package but `benchmarks.clock`."""
