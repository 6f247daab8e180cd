"""The second engine: calls carried by a Janus VideoRoom of our own, its packets recorded and sampled by our code."""
