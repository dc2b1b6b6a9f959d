"""The engine's pages in Django's admin, and lists for all apps."""
