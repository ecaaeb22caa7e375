"""What the commands find, and how it is told: findings with stable codes, reports, and the forms they are written in.

Nothing that serves imports this room.
"""
