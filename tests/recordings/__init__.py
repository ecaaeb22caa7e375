"""Tests of what is made of recordings."""
