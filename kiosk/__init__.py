"""The desk the customer stands at: serves the touch page, reads cards, and passes everything else to the counter."""
