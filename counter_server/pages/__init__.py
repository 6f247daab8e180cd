"""Pages without script, and where the built ones are served."""
