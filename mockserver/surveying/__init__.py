"""`mockserver coverage`: takes up traffic from wherever it was recorded, and tells what it touched."""
