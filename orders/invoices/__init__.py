"""The tax invoice: what stands in it (`data`) and how it looks (`pdf`)."""
