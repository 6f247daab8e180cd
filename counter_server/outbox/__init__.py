"""What the counter tells others when something is done: core systems, and the customer by mail or short message."""
