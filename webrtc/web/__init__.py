"""The browser's half of the conversation: TypeScript, and the generator that writes its types from `webrtc.wire`."""
