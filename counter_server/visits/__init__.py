"""Opens, adds evidence, decides, closes: the only orchestrator."""
