"""From pixels to a decision with a known error rate. Knows no camera, no call and no counter."""
