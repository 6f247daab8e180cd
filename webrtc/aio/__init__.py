"""RTP pass-through on aiortc: packets are decrypted, re-numbered and encrypted again, never decoded."""
