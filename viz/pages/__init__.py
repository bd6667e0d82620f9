"""Pages that step through a drawing: one HTML file each, which needs no network."""
