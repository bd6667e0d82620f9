"""Pages that step through a drawing: each is one HTML file that needs no network."""
