"""What an event costs: Penstock beside nginx and Envoy in one run, on loopback, bounded, and ending by itself."""
