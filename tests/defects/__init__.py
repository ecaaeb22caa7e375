"""The suite of planted defects: each is planted into something clean, must be found, at its place, with the right one blamed.

A tool has a module of its own here with a table of `Planted` rows, and a test that the clean things have no findings at all.
"""
