"""What tests get of the mock: worlds of their own on a server that all of a session share. `pytest_plugin` hands it out."""
