"""What a customer does at the desk's devices, one module per act."""
