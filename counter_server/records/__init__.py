"""The safe: what a visit leaves behind, sealed, encrypted and checkable by strangers."""
