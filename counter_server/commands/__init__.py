"""The command line's commands, one file per noun; `__main__` loads only the one that was asked for."""
