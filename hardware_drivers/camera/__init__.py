"""Cameras, and the person that stands in front of a simulated one."""
