"""Calls over bad lines, in real browsers and network namespaces of their own: what `counter bench video` measures."""
