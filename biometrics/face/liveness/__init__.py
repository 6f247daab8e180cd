"""Whether a body is in front of the camera, now, and follows what nobody could know before."""
