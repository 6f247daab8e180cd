"""Commands that try to break the safe: power loss, failing disks, flipped bits; and how fast it is."""
