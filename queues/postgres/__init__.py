"""How the engine talks to PostgreSQL; knows no job."""
