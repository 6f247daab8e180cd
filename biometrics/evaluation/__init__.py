"""How well it works, measured on folders of people the operator brings. ISO/IEC 19795-1 words: genuine, impostor."""
