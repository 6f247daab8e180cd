"""A record in one file for a court: written, sealed as a whole, and checked with tools that are not ours."""
