"""Who may do something here: clerks, kiosks, phones."""
