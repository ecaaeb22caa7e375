"""What the model says: the answer of each kind of inference, as pure functions of a request and of a world's seed.

Nothing here knows HTTP, routing or state: ids and times are given by the caller, chance comes from the seed and from what
the request asks for. So the same request gets the same words in the same world, however often and in whatever order.
"""
