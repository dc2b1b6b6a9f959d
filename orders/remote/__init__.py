"""Other systems that the shop speaks to over HTTP; no transaction is open while it does."""
