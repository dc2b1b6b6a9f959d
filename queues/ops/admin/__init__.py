"""The engine's pages in Django's admin; lists.py serves all apps."""
